import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, YAMLParseError } from 'yaml';
import type { z } from 'zod';
import { settingPlaces, type SettingPlace } from './setting.js';

export interface ConfigSource {
  /** Section of the file that belongs to the reader; it is laid over the section `defaults`. */
  readonly service: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the variable `DEVMESH_CONFIG`, else `config/production.yaml` of this installation, if it is there. */
  readonly file?: string;
}

/** The configuration can't be used. Each problem names the variable or the place in the file, and the cure. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(service: string, problems: readonly string[]) {
    super(`${service} can't start: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

type Section = Record<string, unknown>;

const SHIPPED_FILE = fileURLToPath(new URL('../../../../config/production.yaml', import.meta.url));

/**
 * Reads a service's configuration once, at start: the file's sections, then the environment over them, then `schema`. An empty
 * variable counts as unset. Throws `ConfigError` that lists everything that is wrong.
 */
export function readConfig<S extends z.ZodObject>(schema: S, source: ConfigSource): z.output<S> {
  const env = source.env ?? process.env;
  const named = source.file ?? (env['DEVMESH_CONFIG'] || undefined);
  const file = named ?? SHIPPED_FILE;
  const problems: string[] = [];
  const values = sectionsOf(file, named !== undefined, source.service, problems);
  const known = new Set(Object.keys(schema.shape));
  for (const name of Object.keys(values.own)) {
    if (!known.has(name)) {
      problems.push(
        `${source.service}.${name} in ${file} is not a setting: remove it; known are ${[...known].join(', ')}`,
      );
    }
  }
  const input: Section = { ...values.defaults, ...values.own };
  const places = settingPlaces(schema);
  for (const place of places) {
    const text = fromEnvironment(place, env, problems);
    if (text === undefined) continue;
    const value = convert(place, text, problems);
    if (value !== undefined) put(input, place.path, value);
  }
  if (problems.length > 0) throw new ConfigError(source.service, problems);
  // A group that must be there is there, so that what it lacks is told by the name of its variable.
  for (const [name, member] of Object.entries(schema.shape as Record<string, z.ZodType>)) {
    if (
      input[name] === undefined &&
      !member.safeParse(undefined).success &&
      places.some((p) => p.path[0] === name && p.path.length > 1)
    ) {
      input[name] = {};
    }
  }
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const path = issue.path.map(String);
    const place = places.find((p) => p.path.every((part, i) => path[i] === part));
    const inFile = `${source.service}.${path.join('.')} in ${file}`;
    if (place === undefined) problems.push(`${inFile}: ${issue.message}`);
    else
      problems.push(
        complaint(
          place,
          at(input, place.path) === undefined ? 'is not set' : `is not valid (${issue.message})`,
          inFile,
        ),
      );
  }
  throw new ConfigError(source.service, problems);
}

function complaint({ setting }: SettingPlace, what: string, also?: string): string {
  const name = setting.secret ? `${setting.variable} (or ${setting.variable}_FILE)` : setting.variable;
  return `${name} ${what}: set it to ${setting.hint}${also === undefined ? '' : ` (also ${also})`}`;
}

function sectionsOf(
  file: string,
  required: boolean,
  service: string,
  problems: string[],
): { defaults: Section; own: Section } {
  const none = { defaults: {}, own: {} };
  if (!existsSync(file)) {
    if (required) problems.push(`the configuration file ${file} does not exist: create it, or unset DEVMESH_CONFIG`);
    return none;
  }
  let document: unknown;
  try {
    document = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const where = error instanceof YAMLParseError ? error.message.split('\n')[0] : String(error);
    problems.push(`the configuration file ${file} can't be read: ${where}`);
    return none;
  }
  if (document === null || document === undefined) return none;
  if (!isSection(document)) {
    problems.push(`the configuration file ${file} must hold a section per service`);
    return none;
  }
  const section = (name: string): Section => {
    const found = document[name];
    if (found === undefined || found === null) return {};
    if (isSection(found)) return found;
    problems.push(`${name} in ${file} must be a section with settings`);
    return {};
  };
  return { defaults: section('defaults'), own: section(service) };
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fromEnvironment(
  place: SettingPlace,
  env: NonNullable<ConfigSource['env']>,
  problems: string[],
): string | undefined {
  const { variable, secret } = place.setting;
  const direct = env[variable] || undefined;
  const file = secret ? env[`${variable}_FILE`] || undefined : undefined;
  const passwordFile = secret ? env[`${variable}_PASSWORD_FILE`] || undefined : undefined;
  if (passwordFile !== undefined && file === undefined && direct !== undefined)
    return withPassword(variable, direct, passwordFile, problems);
  if (file === undefined) return direct;
  if (direct !== undefined) {
    problems.push(`${variable} and ${variable}_FILE are both set: unset one`);
    return undefined;
  }
  return readSecretFile(`${variable}_FILE`, file, problems);
}

/** The URL with the password of a file, for what keeps passwords in files of their own. */
function withPassword(variable: string, text: string, file: string, problems: string[]): string | undefined {
  const password = readSecretFile(`${variable}_PASSWORD_FILE`, file, problems);
  if (password === undefined) return undefined;
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.password !== '') {
    problems.push(`${variable} has a password and ${variable}_PASSWORD_FILE names one: leave one of them out`);
    return undefined;
  }
  url.password = encodeURIComponent(password);
  return url.href;
}

/** A secret file that others than its owner may read is refused: it is no secret. */
function readSecretFile(variable: string, file: string, problems: string[]): string | undefined {
  try {
    const mode = statSync(file).mode & 0o777;
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      problems.push(`${variable} names ${file}, which others may read (mode ${mode.toString(8)}): chmod 600 ${file}`);
      return undefined;
    }
    // As an empty variable is: not set.
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    problems.push(
      `${variable} names ${file}, which can't be read (${(error as NodeJS.ErrnoException).code}): create it with mode 0600`,
    );
    return undefined;
  }
}

function convert(place: SettingPlace, text: string, problems: string[]): unknown {
  switch (place.kind) {
    case 'text':
      return text;
    case 'number': {
      const value = Number(text);
      if (Number.isFinite(value)) return value;
      problems.push(complaint(place, `is "${text}", not a number`));
      return undefined;
    }
    case 'boolean':
      if (text === '1' || text === 'true') return true;
      if (text === '0' || text === 'false') return false;
      problems.push(complaint(place, `is "${text}", neither true nor false`));
      return undefined;
    case 'json':
      try {
        return JSON.parse(text);
      } catch {
        problems.push(complaint(place, 'is not JSON'));
        return undefined;
      }
  }
}

function at(section: Section, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, part) => (isSection(value) ? value[part] : undefined), section);
}

function put(section: Section, path: readonly string[], value: unknown): void {
  let here = section;
  for (const part of path.slice(0, -1)) {
    const next = here[part];
    here = here[part] = isSection(next) ? { ...next } : {};
  }
  const last = path.at(-1);
  if (last !== undefined) here[last] = value;
}
