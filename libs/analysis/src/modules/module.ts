/** What a module offers under a name. */
export interface Declaration {
  readonly kind: 'function' | 'class' | 'interface' | 'type' | 'enum' | 'constant' | 'module';
  /** As it is written, without its body; on one line. */
  readonly signature: string;
  /** First sentence of its doc comment. */
  readonly summary: string | undefined;
  readonly line: number;
  /** Public members of a class or interface. */
  readonly members: readonly Member[];
}

export interface Member {
  readonly name: string;
  readonly signature: string;
  readonly summary: string | undefined;
}

/** Where an exported name comes from: this module, or another one's export (`*` for all of it). */
export type Origin = { readonly local: string } | { readonly module: string; readonly name: string };

/** One source file as others import it. */
export interface ModuleFacts {
  readonly path: string;
  readonly exports: ReadonlyMap<string, Origin>;
  /** Modules whose exports are passed on whole. */
  readonly passesOn: readonly string[];
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** Every module that it loads; for Python with the names taken from it. */
  readonly imports: readonly { readonly module: string; readonly names: readonly string[] }[];
  /** It may export names that can't be told. */
  readonly open: boolean;
}

const MAX_SIGNATURE = 300;

/** Source on one line: comments out, space between words single. */
export function oneLine(source: string): string {
  const flat = source
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/(^|\s)\/\/[^\n]*/g, ' ')
    .replace(/\s+/g, ' ')
    .replace(/([([{<]) /g, '$1')
    .replace(/,? ([)\]])/g, '$1')
    .trim();
  return flat.length > MAX_SIGNATURE ? `${flat.slice(0, MAX_SIGNATURE - 1).toWellFormed()}…` : flat;
}

/** The first sentence of a comment, without what marks it as one. */
export function summaryOf(comment: string): string | undefined {
  const text = comment
    .replace(/^\/?\*+|\*+\/?$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd());
  const end = text.findIndex(
    (line, i) => /^\s*@\w/.test(line) || (line.trim() === '' && text.slice(0, i).some((one) => one.trim() !== '')),
  );
  const first = (end < 0 ? text : text.slice(0, end))
    .join(' ')
    .replace(/\{@link(?:code|plain)?\s+([^}|\s]+)[^}]*\}/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
  const sentence = /^.*?[.!?](?=\s+[A-Z`]|$)/.exec(first)?.[0] ?? first;
  return sentence === '' ? undefined : sentence.slice(0, MAX_SIGNATURE);
}
