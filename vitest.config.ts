import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

// Real PostgreSQL for the medium tests: started once, its address provided to the tests.
const postgres = fileURLToPath(new URL('libs/testing/src/postgres.global-setup.ts', import.meta.url));

// `@devmesh/x/y` is libs/x/src/y.ts: tests run from the sources, with no build. The name is our own: packages have a `source` too.
const conditions = ['@devmesh/source', 'module', 'node', 'import', 'default'];

const everywhere = {
  resolve: { conditions },
  // Vitest also hands these to node: `import` among them would give CommonJS packages the ESM build of what they require.
  ssr: { resolve: { conditions: ['@devmesh/source', 'node'], externalConditions: ['@devmesh/source', 'node'] } },
} satisfies TestProjectInlineConfiguration;

const never = ['**/node_modules/**', '**/dist/**', '**/fixtures/**', 'examples/**', '.devmesh/**'];

export default defineConfig({
  test: {
    // Processes, not threads: native addons register once per process, and tests may change the working folder.
    pool: 'forks',
    maxWorkers: 2,
    // A worker kept alive by an open handle is killed after this, and the run goes on.
    teardownTimeout: 5_000,
    projects: [
      {
        ...everywhere,
        test: {
          name: 'unit',
          include: ['{apps,libs}/*/src/**/*.spec.ts', 'tools/**/*.spec.ts'],
          exclude: [...never, '**/*.{medium,real}.spec.ts'],
          testTimeout: 10_000,
        },
      },
      {
        ...everywhere,
        test: {
          name: 'medium',
          include: ['{apps,libs,tools}/**/*.medium.spec.ts'],
          exclude: never,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          globalSetup: existsSync(postgres) ? [postgres] : [],
        },
      },
      {
        ...everywhere,
        test: {
          name: 'e2e',
          include: ['e2e/*.spec.ts'],
          exclude: [...never, '**/*.real.spec.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          globalSetup: ['e2e/support/clone.global-setup.ts'],
        },
      },
      {
        ...everywhere,
        test: {
          name: 'crash',
          include: ['e2e/crash/*.spec.ts'],
          exclude: [...never, '**/*.real.spec.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          // Each keeps a hundred runs in flight while services die, and two cores carry one such mesh.
          fileParallelism: false,
        },
      },
      {
        ...everywhere,
        test: {
          name: 'real',
          include: ['{apps,libs,e2e,tools}/**/*.real.spec.ts'],
          exclude: never,
          testTimeout: 180_000,
          hookTimeout: 300_000,
          globalSetup: ['e2e/support/clone.global-setup.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
});
