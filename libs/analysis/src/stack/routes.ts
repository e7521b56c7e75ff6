import type { MountFact, SourceFacts } from './source-facts.js';

/** A route with its whole path, as far as mounting could be followed. */
export interface Route {
  readonly method: string;
  readonly path: string;
  readonly file: string;
  readonly line: number;
}

interface Mount extends MountFact {
  readonly from: SourceFacts;
}

const MAX_DEPTH = 6;

function joined(...parts: readonly string[]): string {
  const path = `/${parts.join('/')}`.replace(/\/+/g, '/');
  return path.length > 1 && parts.at(-1) === '/' ? path.slice(0, -1) : path;
}

/** Puts routes below the prefixes that their routers are mounted at. `resolve` finds the file of an import. */
export function resolveRoutes(
  files: readonly SourceFacts[],
  resolve: (from: string, module: string) => string | undefined,
): Route[] {
  const mountsOf = new Map<string, Mount[]>();
  for (const from of files) {
    for (const mount of from.mounts) {
      const file = mount.module === undefined ? from.path : resolve(from.path, mount.module);
      if (file === undefined) continue;
      mountsOf.set(file, [...(mountsOf.get(file) ?? []), { ...mount, from }]);
    }
  }
  const prefixesOf = (file: SourceFacts, on: string, depth: number): string[] => {
    const own = file.prefixes.get(on) ?? '';
    if (depth > MAX_DEPTH) return [own];
    const mounts = (mountsOf.get(file.path) ?? []).filter((mount) => {
      if (mount.target === on) return mount.from.path !== file.path || mount.on !== on;
      // An imported function that makes its router, or a default export: it stands for the whole file.
      const names = file.applications.map(({ name }) => name);
      return mount.module !== undefined && mount.from.path !== file.path && !names.includes(mount.target);
    });
    if (mounts.length === 0) return [own];
    return mounts.flatMap((mount) =>
      prefixesOf(mount.from, mount.on, depth + 1).map((prefix) => joined(prefix, mount.prefix, own)),
    );
  };
  const routes = new Map<string, Route>();
  for (const file of files) {
    if (file.test) continue;
    for (const route of file.routes) {
      for (const prefix of prefixesOf(file, route.on, 0).slice(0, 20)) {
        const path = joined(prefix, route.path);
        const key = `${route.method} ${path} ${file.path}`;
        if (!routes.has(key)) routes.set(key, { method: route.method, path, file: file.path, line: route.line });
      }
    }
  }
  return [...routes.values()];
}
