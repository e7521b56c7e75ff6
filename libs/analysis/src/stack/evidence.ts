import type { Evidence } from '@devmesh/contracts/stack';

/** A value with why it is believed; the shape of every fact of a `StackComponent`. */
export interface Fact {
  readonly value: string;
  readonly evidence: Evidence[];
}

const MAX_SAYS = 200;
const MAX_EVIDENCE = 10;

/** Values of variables with a telling name, and passwords in addresses. */
function withoutSecrets(text: string): string {
  return text
    .replace(/(\w*(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY)\w*\s*[=:]\s*["'`]?)[^\s"'`,;)]+/gi, '$1***')
    .replace(/(:\/\/[^\s:/@]*:)[^\s@/]+@/g, '$1***@');
}

/** What a line says, short and on one line, with secrets masked. */
export function quote(text: string): string {
  const flat = withoutSecrets(text.slice(0, 2000)).replace(/\s+/g, ' ').trim();
  return flat.length > MAX_SAYS ? `${flat.slice(0, MAX_SAYS - 1)}…` : flat;
}

export function evidence(path: string, says: string, line?: number): Evidence {
  return line === undefined ? { path, says: quote(says) } : { path, line, says: quote(says) };
}

export function fact(value: string, ...because: Evidence[]): Fact {
  return { value: value.slice(0, 300), evidence: because.slice(0, MAX_EVIDENCE) };
}

/** 1-based number of the first line with `needle`; undefined when there is none. */
export function lineOf(text: string, needle: string | RegExp): number | undefined {
  const at = typeof needle === 'string' ? text.indexOf(needle) : text.search(needle);
  if (at < 0) return undefined;
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) line += 1;
  return line;
}

/** The line itself, without its ending. */
export function lineAt(text: string, line: number): string {
  return text.split('\n')[line - 1]?.replace(/\r$/, '') ?? '';
}

/** Facts of a component with the undefined ones left out, as `exactOptionalPropertyTypes` wants it. */
export function present<T extends Record<string, unknown>>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
