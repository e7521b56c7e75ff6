import { z } from 'zod';

export interface Setting {
  /** Environment variable that sets it. */
  readonly variable: string;
  /** What a good value looks like; the cure in the error text. */
  readonly hint: string;
  /** Never shown, and may be given as a file by `<variable>_FILE`. */
  readonly secret: boolean;
}

const settings = z.registry<Setting>();

/** Binds a member of a configuration schema to an environment variable. `hint` ends the sentence "set it to …". */
export function setting<S extends z.ZodType>(variable: string, hint: string, schema: S): S {
  settings.add(schema, { variable, hint, secret: false });
  return schema;
}

/**
 * As `setting`; the value is never shown, and `<variable>_FILE` may name a file (mode 0600) that holds it. Of a URL the password alone may
 * be in a file, named by `<variable>_PASSWORD_FILE`.
 */
export function secretSetting<S extends z.ZodType>(variable: string, hint: string, schema: S): S {
  settings.add(schema, { variable, hint, secret: true });
  return schema;
}

export interface SettingPlace {
  readonly path: readonly string[];
  readonly setting: Setting;
  /** How text from the environment becomes a value. */
  readonly kind: 'text' | 'number' | 'boolean' | 'json';
}

interface Wrapped {
  readonly _zod: { readonly def: { readonly type: string; readonly innerType?: z.ZodType; readonly in?: z.ZodType } };
}

function inner(schema: z.ZodType): z.ZodType | undefined {
  const { def } = (schema as unknown as Wrapped)._zod;
  return def.innerType ?? def.in;
}

function settingOf(schema: z.ZodType): Setting | undefined {
  const found = settings.get(schema);
  if (found !== undefined) return found;
  const next = inner(schema);
  return next === undefined ? undefined : settingOf(next);
}

function core(schema: z.ZodType): z.ZodType {
  const next = inner(schema);
  return next === undefined ? schema : core(next);
}

function kindOf(schema: z.ZodType): SettingPlace['kind'] {
  switch ((core(schema) as unknown as Wrapped)._zod.def.type) {
    case 'number':
    case 'int':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'object':
    case 'record':
    case 'array':
      return 'json';
    default:
      return 'text';
  }
}

/** Every bound member of a schema, nested objects included. */
export function settingPlaces(schema: z.ZodObject, path: readonly string[] = []): SettingPlace[] {
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([name, member]) => {
    const here = [...path, name];
    const bound = settingOf(member);
    if (bound !== undefined) return [{ path: here, setting: bound, kind: kindOf(member) }];
    const object = core(member);
    return object instanceof z.ZodObject ? settingPlaces(object, here) : [];
  });
}
