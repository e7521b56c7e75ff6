import type { Span } from '../flow/ir.js';

/** A value of a file of settings, with its place: a scalar, a map or a list. */
export interface Setting extends Span {
  /** Of a scalar that stands there as it is. */
  readonly value?: string | number | boolean | null;
  /** As it is written, where it is more than a scalar: an expression, a template. */
  readonly text?: string;
  readonly fields?: ReadonlyMap<string, Setting>;
  readonly items?: readonly Setting[];
  /** Where the key of this value is. */
  readonly key?: Span;
}

/** The value at the end of a path of keys. */
export function at(setting: Setting | undefined, ...path: readonly string[]): Setting | undefined {
  return path.reduce<Setting | undefined>((one, key) => one?.fields?.get(key), setting);
}

/** The members of a list; a single value counts as one. */
export const listOf = (setting: Setting | undefined): readonly Setting[] =>
  !setting ? [] : (setting.items ?? (setting.value === null ? [] : [setting]));

export const textOf = (setting: Setting | undefined): string =>
  setting?.value === undefined || setting.value === null ? '' : String(setting.value);

/** Key and value; the value alone where there is no key. */
export const whole = (setting: Setting): Span => ({ start: setting.key?.start ?? setting.start, end: setting.end });
