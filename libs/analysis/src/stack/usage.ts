import { evidence, fact, type Fact } from './evidence.js';
import type { Dependency } from './manifest.js';
import { driversOf, packageOfImport, serviceOfImport, type Ecosystem } from './services.js';
import type { SourceFacts } from './source-facts.js';

/** A variable of the environment, as all files of a component read it. */
export interface EnvironmentVariable {
  readonly name: string;
  /** The literal used when it is not set; absent when there is none, or files disagree. */
  readonly fallback?: string;
  /** Whether the code insists on it somewhere. */
  readonly required: boolean;
  readonly file: string;
  readonly line: number;
}

type Declared = ReadonlyMap<string, Dependency>;

/** Normalises a package name as manifests of the ecosystem do. */
function declaredAs(
  ecosystem: Ecosystem,
  packages: readonly string[],
  declared: Declared,
): readonly [string, Dependency] | undefined {
  for (const name of packages) {
    const found = declared.get(ecosystem === 'python' ? name.toLowerCase() : name);
    if (found) return [name, found];
  }
  return undefined;
}

/**
 * Backing services that the code uses: imported by code that is not a test (or named by it, next to a driver), and declared
 * by a manifest. A dependency that no code loads is not a use.
 */
export function usedServices(ecosystem: Ecosystem, files: readonly SourceFacts[], declared: Declared): Fact[] {
  const found = new Map<string, Fact>();
  const add = (service: string, packages: readonly string[], path: string, says: string, line: number): void => {
    const dependency = declaredAs(ecosystem, packages, declared);
    if (!dependency) return;
    const [name, { path: manifest, line: at, version }] = dependency;
    const known = found.get(service)?.evidence ?? [evidence(manifest, `depends on ${name} ${version}`.trim(), at)];
    found.set(service, fact(service, ...known, evidence(path, says, line)));
  };
  for (const file of files) {
    for (const { module, line } of file.imports) {
      const used = serviceOfImport(ecosystem, module);
      if (used) add(used.service, used.packages, file.path, `imports ${module}`, line);
    }
    for (const { service, line } of file.namedServices) {
      add(service, driversOf(ecosystem, service), file.path, `names ${service} as its database or broker`, line);
    }
  }
  return [...found.values()].sort((a, b) => a.value.localeCompare(b.value));
}

/** Services that the tests reach through their own imports and those of the code they load, however deep. */
export function servicesOfTests(
  ecosystem: Ecosystem,
  files: readonly SourceFacts[],
  services: readonly string[],
  resolve: (from: string, module: string) => string | undefined,
): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const open = files.filter(({ test }) => test);
  const seen = new Set(open);
  const reached = new Set<string>();
  for (let file = open.pop(); file; file = open.pop()) {
    for (const { service } of file.namedServices) reached.add(service);
    for (const { module, names } of file.imports) {
      const service = serviceOfImport(ecosystem, module)?.service;
      if (service !== undefined) reached.add(service);
      const inside =
        ecosystem === 'python' ? names.map((name) => `${module}${module.endsWith('.') ? '' : '.'}${name}`) : [];
      for (const one of [module, ...inside]) {
        const target = byPath.get(resolve(file.path, one) ?? '');
        if (target && !seen.has(target)) {
          seen.add(target);
          open.push(target);
        }
      }
    }
  }
  return services.filter((service) => reached.has(service));
}

/** Variables that code which is not a test reads, by name. */
export function environmentOf(files: readonly SourceFacts[]): EnvironmentVariable[] {
  const readers = new Set(files.flatMap((file) => file.environmentReaders));
  const found = new Map<string, EnvironmentVariable>();
  for (const file of files) {
    const calls = file.environmentCalls.filter(({ reader }) => readers.has(reader)).map((call) => call.fact);
    for (const { name, fallback, required, line } of [...file.environment, ...calls]) {
      const known = found.get(name);
      if (!known) {
        found.set(name, { name, ...(fallback === undefined ? {} : { fallback }), required, file: file.path, line });
        continue;
      }
      const { fallback: before, ...rest } = known;
      const agreed =
        fallback === undefined ? before : before === undefined || before === fallback ? fallback : undefined;
      found.set(name, {
        ...rest,
        ...(agreed === undefined ? {} : { fallback: agreed }),
        required: known.required || required,
      });
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Where code that is not a test imports one of these packages. */
export function importOf(
  ecosystem: Ecosystem,
  files: readonly SourceFacts[],
  packages: readonly string[],
): { path: string; line: number; module: string } | undefined {
  for (const file of files) {
    const found = file.imports.find(({ module }) => packages.includes(packageOfImport(ecosystem, module)));
    if (found) return { path: file.path, line: found.line, module: found.module };
  }
  return undefined;
}
