import type { AllowedMethods } from '../errors/problem.filter.js';

/** The parts of express's router that tell which methods a path answers. */
interface RouterLike {
  readonly stack?: readonly {
    readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
    match(path: string): boolean;
  }[];
}

/** Looks the methods of a path up in an express application; used only when no route answered. */
export function allowedMethodsOf(application: unknown): AllowedMethods {
  return (path) => {
    const { router } = application as { router?: RouterLike };
    const methods = new Set<string>();
    for (const layer of router?.stack ?? []) {
      if (layer.route === undefined || !matches(layer, path)) continue;
      for (const method of Object.keys(layer.route.methods)) methods.add(method.toUpperCase());
    }
    // A route for all methods answers everything; it is no hint.
    methods.delete('_ALL');
    if (methods.has('GET')) methods.add('HEAD');
    return [...methods].sort();
  };
}

function matches(layer: { match(path: string): boolean }, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return false;
  }
}
