import type { SourceFacts } from './source-facts.js';

/** A text with its comments blanked out, so that offsets and lines stay; strings are left. For languages with C's comments. */
export function withoutComments(text: string): string {
  return text.replace(/"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (part) =>
    part.startsWith('//') || part.startsWith('/*') ? part.replace(/[^\n]/g, ' ') : part,
  );
}

/** Every match of a pattern (with the `g` flag) and its 1-based line. */
export function matches(text: string, pattern: RegExp): { readonly match: RegExpExecArray; readonly line: number }[] {
  let line = 1;
  let at = 0;
  return [...text.matchAll(pattern)].map((match) => {
    for (; at < match.index; at += 1) if (text.charCodeAt(at) === 10) line += 1;
    return { match, line };
  });
}

/** Facts of a file about which nothing is known yet. */
export function noFacts(path: string, test: boolean): SourceFacts {
  return {
    path,
    test,
    imports: [],
    ports: [],
    constants: new Map(),
    environment: [],
    environmentReaders: [],
    environmentCalls: [],
    routes: [],
    mounts: [],
    prefixes: new Map(),
    namedServices: [],
    applications: [],
    runsAsMain: false,
  };
}
