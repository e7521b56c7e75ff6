import type { Func } from './ir.js';
import { merge, UNKNOWN, type Frame, type ModuleState, type Value } from './value.js';

export function newFrame(
  module: ModuleState,
  parent: Frame | undefined,
  fn: Func | undefined,
  self: Value | undefined,
  depth: number,
): Frame {
  return { vars: new Map(), parent, module, fn, self, returned: undefined, depth };
}

/** Any member of a collection. */
export function memberOfAll(value: Value): Value {
  const parts = value.items ?? (value.fields ? [...value.fields.values()] : undefined);
  if (parts && parts.length > 0) return parts.slice(1).reduce((all, one) => merge(all, one), parts[0] ?? UNKNOWN);
  return {
    ...(value.taint ? { taint: value.taint } : {}),
    ...(value.ref === undefined ? {} : { ref: `${value.ref}.[]` }),
  };
}

export function moduleValue(module: ModuleState): Value {
  return { fields: module.exports, open: true, ref: `./${module.path}` };
}

export function importedValue(
  specifier: string,
  imported: string,
  module: ModuleState | undefined,
  language: 'javascript' | 'python',
): Value {
  if (module) {
    if (imported === '*') return moduleValue(module);
    const found = module.exports.get(imported);
    if (found) return found;
    if (imported === 'default' && module.exports.size > 0)
      return module.exports.get('module.exports') ?? moduleValue(module);
    return { ref: `./${module.path}.${imported}` };
  }
  const name = moduleName(specifier);
  if (imported === '*' || (imported === 'default' && language === 'javascript')) return { ref: name };
  return { ref: `${name}.${imported}` };
}

/** `node:fs/promises` is `fs.promises`. */
export function moduleName(specifier: string): string {
  return specifier
    .replace(/^node:/, '')
    .replace(/^(fs|dns|timers)\/promises$/, '$1.promises')
    .replace(/\/$/, '');
}
