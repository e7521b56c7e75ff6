import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';

/** Something wrong in a file of `.devmesh/`: where (1-based), what, and the cure. */
export interface PolicyProblem {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A value of a file, and where its members stand. */
export interface LocatedValue<T> {
  readonly value: T;
  problemAt(at: readonly PropertyKey[], message: string): PolicyProblem;
}

/** Reads a YAML or JSON file into what a schema says, or into every problem of syntax and shape with its place. Aliases are not read. */
export function readLocated<S extends z.ZodType>(
  path: string,
  text: string,
  schema: S,
): LocatedValue<z.output<S>> | { readonly problems: readonly PolicyProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    return {
      problems: document.errors.map((error) => ({ path, ...place(error.pos[0]), message: error.message })),
    };
  }
  const problemAt = (at: readonly PropertyKey[], message: string): PolicyProblem => ({
    path,
    ...place(offsetOf(document, at)),
    message,
  });
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 }) ?? {};
  } catch {
    return { problems: [problemAt([], 'aliases are not read: write the value out')] };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data, problemAt };
  return {
    problems: parsed.error.issues.map((issue) => {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
      const at = unknown === undefined ? issue.path : [...issue.path, unknown];
      const name = at.length === 0 ? 'the file' : `\`${at.map(String).join('.')}\``;
      return problemAt(
        at,
        `${name}: ${unknown === undefined ? issue.message : 'there is no such setting: remove it, or mend its name'}`,
      );
    }),
  };
}

/** Where the member at a path begins; of a missing one, where its nearest parent does. */
function offsetOf(document: Document.Parsed, at: readonly PropertyKey[]): number {
  for (let length = at.length; length >= 0; length -= 1) {
    const part = at.slice(0, length);
    const last = part.at(-1);
    const parent = length === 0 ? undefined : document.getIn(part.slice(0, -1), true);
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last)
      : undefined;
    const node = pair?.key ?? document.getIn(part, true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** A problem as one line: `path:line:column: what and how to mend it`. */
export function problemText({ path, line, column, message }: PolicyProblem): string {
  return `${path}:${line}:${column}: ${message}`;
}
