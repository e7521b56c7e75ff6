/** Who may import whom: the rooms of the house and the doors between them. */

const test = '[.](spec|fixture)[.]ts$|/src/testing/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Move what both need to a third file, or pass it in.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'app-imports-app',
      comment: 'Apps talk over HTTP: call it through @devmesh/service-client, or move the code to a lib.',
      severity: 'error',
      from: { path: '(^|/)apps/([^/]+)/' },
      to: { path: '(^|/)apps/([^/]+)/', pathNot: '(^|/)apps/$2/' },
    },
    {
      name: 'lib-imports-app',
      comment: 'A lib knows no app: move the code to the lib, or pass it in.',
      severity: 'error',
      from: { path: '(^|/)libs/' },
      to: { path: '(^|/)apps/' },
    },
    {
      name: 'contracts-import-only-zod',
      comment: 'The contracts are read by every room: nothing but zod, and no module of node.',
      severity: 'error',
      from: { path: '(^|/)libs/contracts/', pathNot: test },
      to: { pathNot: '(^|/)libs/contracts/|(^|/)node_modules/zod/' },
    },
    {
      name: 'workflow-imports-only-contracts-and-parsers',
      comment: 'The core of the engine is pure: no I/O, no clock, no randomness; its shell is libs/engine.',
      severity: 'error',
      from: { path: '(^|/)libs/workflow/', pathNot: test },
      // crypto: hashes, which are pure.
      to: {
        pathNot: '(^|/)libs/(workflow|contracts)/|(^|/)node_modules/(yaml|zod|@marcbachmann/cel-js)/|^(node:)?crypto$',
      },
    },
    {
      name: 'undeclared-dependency',
      comment: "Add it to the room's own package.json, with its version in the catalog of pnpm-workspace.yaml.",
      severity: 'error',
      from: { path: '(^|/)(apps|libs)/' },
      // The test runner is declared once, at the root.
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], pathNot: '(^|/)node_modules/vitest/' },
    },
    {
      name: 'unresolved-import',
      comment: 'The file does not exist, or the package is not in the package.json of the room that imports it.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'development-dependency-in-product',
      comment: "Move it from 'devDependencies' to 'dependencies'.",
      severity: 'error',
      from: { path: '(^|/)(apps|libs)/[^/]+/src/', pathNot: test },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['npm', 'type-only'],
        pathNot: '(^|/)node_modules/@types/',
      },
    },
    {
      name: 'product-imports-tests',
      comment: 'libs/testing and *.spec.ts are for tests only.',
      severity: 'error',
      from: { path: '(^|/)(apps|libs)/', pathNot: `${test}|(^|/)libs/testing/` },
      to: { path: `[.]spec[.]ts$|(^|/)libs/testing/` },
    },
    {
      name: 'room-imports-inside-of-another',
      comment: "Import it by name, '@devmesh/contracts/finding', not by a path across rooms.",
      severity: 'error',
      from: { path: '(^|/)((?:apps|libs)/[^/]+)/' },
      to: { path: '(^|/)(apps|libs)/', pathNot: '(^|/)$2/', dependencyTypes: ['local'] },
    },
    {
      name: 'no-barrel',
      comment: 'No index.ts: packages export each file by its own name.',
      severity: 'error',
      from: { path: '(^|/)index[.]ts$' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: '(^|/)node_modules/' },
    exclude: { path: '^(apps|libs)/[^/]+/dist/' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    parser: 'tsc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@devmesh/source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.js', '.json', '.d.ts'],
    },
    skipAnalysisNotInRules: true,
  },
};
