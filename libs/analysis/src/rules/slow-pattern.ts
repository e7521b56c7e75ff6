/** Characters as flags for ASCII, and one for all others. */
type CharSet = readonly boolean[];
const SIZE = 129;

type Piece =
  | { readonly k: 'char'; readonly set: CharSet }
  | { readonly k: 'all'; readonly parts: readonly Piece[] }
  | { readonly k: 'any'; readonly options: readonly Piece[] }
  | { readonly k: 'repeat'; readonly body: Piece; readonly min: number; readonly max: number }
  /** `$`, `\b`, a look-around: takes no character. */
  | { readonly k: 'edge'; readonly fails: boolean };

const of = (test: (code: number) => boolean): CharSet => Array.from({ length: SIZE }, (_, code) => test(code));
const inRange = (code: number, from: string, to: string): boolean =>
  code >= from.charCodeAt(0) && code <= to.charCodeAt(0);
const DIGIT = of((code) => inRange(code, '0', '9'));
const WORD = of((code) => inRange(code, '0', '9') || inRange(code, 'a', 'z') || inRange(code, 'A', 'Z') || code === 95);
const SPACE = of((code) => code === 32 || (code >= 9 && code <= 13) || code === 128);
const DOT = of((code) => code !== 10 && code !== 13);
const not = (set: CharSet): CharSet => set.map((one) => !one);
const one = (letter: string): CharSet => of((code) => code === Math.min(letter.charCodeAt(0), 128));
const union = (a: CharSet, b: CharSet): CharSet => a.map((flag, i) => flag || b[i] === true);
const meet = (a: CharSet, b: CharSet): boolean => a.some((flag, i) => flag && b[i] === true);
const CLASSES: Readonly<Record<string, CharSet>> = {
  d: DIGIT,
  D: not(DIGIT),
  w: WORD,
  W: not(WORD),
  s: SPACE,
  S: not(SPACE),
};
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', '0': '\0' };

/** Reads a pattern as far as this analysis needs it. Throws on what it does not know. */
class Reader {
  #at = 0;
  constructor(readonly text: string) {}

  read(): Piece {
    const piece = this.#options();
    if (this.#at < this.text.length) throw new Error('a bracket too many');
    return piece;
  }

  #options(): Piece {
    const options = [this.#sequence()];
    while (this.text[this.#at] === '|') {
      this.#at += 1;
      options.push(this.#sequence());
    }
    const [only] = options;
    return options.length === 1 && only ? only : { k: 'any', options };
  }

  #sequence(): Piece {
    const parts: Piece[] = [];
    for (let sign = this.text[this.#at]; sign !== undefined && sign !== '|' && sign !== ')'; sign = this.text[this.#at])
      parts.push(this.#quantified(this.#atom()));
    return { k: 'all', parts };
  }

  #quantified(body: Piece): Piece {
    const rest = this.text.slice(this.#at);
    const match = /^(?:([*+?])|\{(\d+)(,(\d*))?\})([?+]?)/.exec(rest);
    if (!match) return body;
    this.#at += match[0].length;
    const [, sign, from, comma, to, mode] = match;
    const min = sign === '+' ? 1 : sign === undefined ? Number(from) : 0;
    const max =
      sign === '?'
        ? 1
        : sign !== undefined || (comma !== undefined && to === '')
          ? Infinity
          : Number(comma === undefined ? from : to);
    // Possessive: never gives back.
    if (mode === '+') return { k: 'repeat', body, min, max: Math.min(max, 1) };
    return { k: 'repeat', body, min, max };
  }

  #atom(): Piece {
    const sign = this.text[this.#at] ?? '';
    this.#at += 1;
    switch (sign) {
      case '(':
        return this.#group();
      case '[':
        return { k: 'char', set: this.#class() };
      case '.':
        return { k: 'char', set: DOT };
      case '^':
        return { k: 'edge', fails: false };
      case '$':
        return { k: 'edge', fails: true };
      case '\\':
        return this.#escape();
      default:
        return { k: 'char', set: one(sign) };
    }
  }

  #group(): Piece {
    const rest = this.text.slice(this.#at);
    const kind = /^\?(?:<(?![=!])[^>]*>|P<[^>]*>|[a-z-]*:|[=!]|<[=!]|>)/.exec(rest)?.[0] ?? '';
    this.#at += kind.length;
    const body = this.#options();
    if (this.text[this.#at] !== ')') throw new Error('a bracket is missing');
    this.#at += 1;
    if (kind === '?>') return { k: 'edge', fails: true };
    return /[=!]$/.test(kind) ? { k: 'edge', fails: true } : body;
  }

  #escape(): Piece {
    const sign = this.text[this.#at] ?? '';
    this.#at += 1;
    if (/[bBAzZG]/.test(sign)) return { k: 'edge', fails: sign !== 'A' };
    if (/[1-9k]/.test(sign)) return { k: 'edge', fails: true };
    return { k: 'char', set: this.#escaped(sign) };
  }

  #escaped(sign: string): CharSet {
    const known = CLASSES[sign];
    if (known) return known;
    const rest = this.text.slice(this.#at);
    if (sign === 'p' || sign === 'P') {
      this.#at += /^\{[^}]*\}/.exec(rest)?.[0].length ?? 1;
      return of((code) => code === 128 || inRange(code, 'a', 'z') || inRange(code, 'A', 'Z'));
    }
    const hex =
      sign === 'x'
        ? /^[0-9a-fA-F]{2}/.exec(rest)
        : sign === 'u'
          ? /^(?:\{[0-9a-fA-F]+\}|[0-9a-fA-F]{4})/.exec(rest)
          : null;
    if (hex) {
      this.#at += hex[0].length;
      return one(String.fromCodePoint(Math.min(Number.parseInt(hex[0].replace(/[{}]/g, ''), 16), 0xffff)));
    }
    return one(CONTROLS[sign] ?? sign);
  }

  #class(): CharSet {
    const negated = this.text[this.#at] === '^';
    if (negated) this.#at += 1;
    let set: CharSet = of(() => false);
    for (let first = true; first || this.text[this.#at] !== ']'; first = false) {
      const sign = this.text[this.#at];
      if (sign === undefined) throw new Error('a class without an end');
      if (first && sign === ']') break;
      this.#at += 1;
      const from = sign === '\\' ? this.#escaped(this.text[this.#at++] ?? '') : one(sign);
      const isOne = from.filter(Boolean).length === 1;
      if (
        isOne &&
        this.text[this.#at] === '-' &&
        this.text[this.#at + 1] !== ']' &&
        this.text[this.#at + 1] !== undefined
      ) {
        this.#at += 1;
        const end = this.text[this.#at++] ?? '';
        const to = end === '\\' ? this.#escaped(this.text[this.#at++] ?? '') : one(end);
        const [low, high] = [from.indexOf(true), to.indexOf(true)];
        set = union(
          set,
          of((code) => code >= low && code <= high),
        );
      } else set = union(set, from);
    }
    this.#at += 1;
    return negated ? not(set) : set;
  }
}

/** Whether some text of characters of the set alone matches. */
function matchesWithin(piece: Piece, set: CharSet): boolean {
  switch (piece.k) {
    case 'char':
      return meet(piece.set, set);
    case 'all':
      return piece.parts.every((part) => matchesWithin(part, set));
    case 'any':
      return piece.options.some((option) => matchesWithin(option, set));
    case 'repeat':
      return piece.min === 0 || matchesWithin(piece.body, set);
    case 'edge':
      return !piece.fails;
  }
}

const isEmptyable = (piece: Piece): boolean =>
  matchesWithin(
    piece,
    of(() => false),
  );

/** The characters of a piece that takes exactly one. */
function single(piece: Piece): CharSet | undefined {
  if (piece.k === 'char') return piece.set;
  if (piece.k === 'all' && piece.parts.length === 1 && piece.parts[0]) return single(piece.parts[0]);
  if (piece.k === 'any') {
    const sets = piece.options.map(single);
    return sets.every((set) => set !== undefined)
      ? sets.reduce<CharSet>(
          (all, set) => union(all, set ?? []),
          of(() => false),
        )
      : undefined;
  }
  return undefined;
}

/** Whether what is repeated without end can take the same text in more than one way. */
function isAmbiguous(body: Piece): boolean {
  const options = body.k === 'any' ? body.options : [body];
  for (const option of options) {
    const parts = option.k === 'all' ? option.parts : [option];
    for (const [i, part] of parts.entries()) {
      if (part.k !== 'repeat' || part.max !== Infinity) {
        if (parts.length === 1 && (part.k === 'any' || part.k === 'all') && part !== body && isAmbiguous(part))
          return true;
        continue;
      }
      const set = single(part.body);
      if (set && parts.every((other, j) => j === i || matchesWithin(other, set))) return true;
      if (!set && isAmbiguous(part.body) && parts.every((other, j) => j === i || isEmptyable(other))) return true;
    }
  }
  return options.some((a, i) => {
    const set = single(a);
    return (
      set !== undefined &&
      options.some((b, j) => i !== j && !isEmptyable(b) && matchesWithin(b, set) && (single(b) === undefined || i < j))
    );
  });
}

/** Looks at every endless repetition; `fails`: something behind it can make the match fail. */
function hasSlowPart(piece: Piece, fails: boolean): boolean {
  switch (piece.k) {
    case 'all':
      return piece.parts.some((part, i) =>
        hasSlowPart(
          part,
          fails || piece.parts.slice(i + 1).some((later) => (later.k === 'edge' ? later.fails : !isEmptyable(later))),
        ),
      );
    case 'any':
      return piece.options.some((option) => hasSlowPart(option, fails));
    case 'repeat':
      return (piece.max > 20 && fails && isAmbiguous(piece.body)) || hasSlowPart(piece.body, fails);
    default:
      return false;
  }
}

const known = new Map<string, boolean>();

/**
 * Whether a text exists for which a backtracking engine takes exponential time: an endless repetition of something that can take
 * the same characters in two ways, with something behind it that fails. What can't be read is taken for harmless.
 */
export function isSlowPattern(pattern: string): boolean {
  if (pattern.length > 2000 || !/[*+}][^)]*\)[*+{]|\|[^)]*\)[*+{]|\)[*+{]/.test(pattern)) return false;
  const before = known.get(pattern);
  if (before !== undefined) return before;
  let slow = false;
  try {
    slow = hasSlowPart(new Reader(pattern).read(), false);
  } catch {
    // Not a pattern that this reads.
  }
  if (known.size < 5000) known.set(pattern, slow);
  return slow;
}
