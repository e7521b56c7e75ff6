import type { FlowLanguage } from '../parse/language.js';
import type { Func } from './ir.js';
import type { Modules } from './engine.js';
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

/** What an import brings; what lies in the project is only looked at when somebody uses it. */
export function importedLater(
  modules: Modules,
  from: ModuleState,
  specifier: string,
  imported: string,
  level: number,
): Value {
  const { language } = from;
  const path = modules.find(from, specifier, level);
  if (language === 'java') {
    const name = specifier.slice(specifier.lastIndexOf('.') + 1);
    if (path === undefined) return { ref: name };
    return putOff(() => {
      const module = modules.load(path, language);
      return { value: (module && modules.exportOf(module, name)) ?? { ref: name }, ready: module?.ready !== false };
    });
  }
  const inside =
    language === 'python' && imported !== '*'
      ? modules.find(from, specifier === '' ? imported : `${specifier}.${imported}`, level)
      : undefined;
  if (language === 'go' && path !== undefined)
    return putOff(() => {
      const module = modules.load(path, language);
      return { value: module ? modules.namespaceOf(module) : { ref: specifier }, ready: module?.ready !== false };
    });
  if (path === undefined && inside === undefined) return importedValue(specifier, imported, language);
  return putOff(() => {
    const module = path === undefined ? undefined : modules.load(path, language);
    const own = module && imported !== '*' ? modules.exportOf(module, imported) : undefined;
    const joined = !own && inside !== undefined ? modules.load(inside, language) : undefined;
    const ready = module?.ready !== false && joined?.ready !== false;
    if (own) return { value: own, ready };
    if (joined) return { value: modules.namespaceOf(joined), ready };
    if (!module) return { value: importedValue(specifier, imported, language), ready };
    if (imported === '*') return { value: modules.namespaceOf(module), ready };
    if (imported === 'default' && module.exports.size > 0)
      return { value: modules.exportOf(module, 'module.exports') ?? modules.namespaceOf(module), ready };
    return { value: { ref: `./${module.path}.${imported}` }, ready };
  });
}

/** Kept once it is all there: modules that import each other may ask before. */
function putOff(look: () => { value: Value; ready: boolean }): Value {
  let known: Value | undefined;
  return {
    later: () => {
      if (known) return known;
      const { value, ready } = look();
      if (ready) known = value;
      return value;
    },
  };
}

/** What comes from outside of the project has a full name, and nothing else. */
export function importedValue(specifier: string, imported: string, language: FlowLanguage): Value {
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
