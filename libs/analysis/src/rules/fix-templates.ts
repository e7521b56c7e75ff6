import { upwards, type Node } from '../parse/syntax.js';
import type { Span } from '../flow/ir.js';
import type { Candidate } from './candidate.js';
import { CODE_FIXES } from './code-fixes.js';
import { FILE_FIXES } from './file-fixes.js';
import { missingCookieFlags } from './predicates.js';
import type { TextEdit } from './text-edit.js';

/**
 * How safe fixes are made, by name. Each gives the fewest edits that remove the finding and touches no other byte, or
 * undefined where this occurrence has no safe fix.
 */
export const FIXES = {
  /** `yaml.load(x, Loader=…)` → `yaml.safe_load(x)`. A bare `load` would need another import and is left to people. */
  'yaml-safe-load': ({ call }) => {
    const method = call?.callee.field('attribute');
    if (!call || !method || call.open) return undefined;
    const loader = call.named.get('Loader')?.whole ?? call.positional[1];
    return [replace(method, method.text().replace(/^load/, 'safe_load')), ...(loader ? [removal(loader)] : [])];
  },
  /** `verify=False` → `verify=True`: stated, so that a laxer setting of the session can't come back. */
  'verify-true': ({ call }) => {
    const verify = call?.named.get('verify');
    return verify && [replace(verify.value, 'True')];
  },
  'debug-false': ({ call }) => {
    const debug = call?.named.get('debug');
    return debug && [replace(debug.value, 'False')];
  },
  'reject-unauthorized-true': ({ node }) => {
    const value = node.field('value') ?? node.field('right');
    return value ? [replace(value, 'true')] : undefined;
  },
  /** A Dockerfile's checks bring their edits along. */
  docker: () => undefined,
  'cookie-flags': (of) => cookieFlags(of),
  'random-uuid': (of) => randomUuid(of),
  ...CODE_FIXES,
} as const satisfies Record<string, (of: Candidate) => TextEdit[] | undefined>;

export type FixName = keyof typeof FIXES | keyof typeof FILE_FIXES;

/** The edits of a fix at a span; `candidate` is asked for the node there, in what has a tree. */
export function editsOf(
  name: FixName,
  text: string,
  span: Span,
  candidate: () => Candidate | undefined,
): TextEdit[] | undefined {
  if (isFileFix(name)) return FILE_FIXES[name](text, span);
  const of = candidate();
  return of && FIXES[name](of);
}

function isFileFix(name: FixName): name is keyof typeof FILE_FIXES {
  return name in FILE_FIXES;
}

function replace(node: Node, text: string): TextEdit {
  const { start, end } = node.range();
  return { start: start.index, end: end.index, text };
}

/** Takes an argument out of its list with the comma and the blanks before it, or, of the first one, those after it. */
function removal(argument: Node): TextEdit {
  const { start, end } = argument.range();
  const before = argument.prev();
  if (before?.text() === ',') return { start: before.range().start.index, end: end.index, text: '' };
  const after = argument.next();
  const following = after?.text() === ',' ? after.next() : undefined;
  return { start: start.index, end: following ? following.range().start.index : end.index, text: '' };
}

function insertion(at: number, text: string): TextEdit {
  return { start: at, end: at, text };
}

function cookieFlags(of: Candidate): TextEdit[] | undefined {
  const { call, bindings } = of;
  const missing = missingCookieFlags(of);
  if (!call || missing.length === 0) return undefined;
  const python = bindings.language === 'python';
  const yes = python ? 'True' : 'true';
  const edits = missing.flatMap(({ present }) => (present ? [replace(present.value, yes)] : []));
  const absent = missing.filter(({ present }) => !present).map(({ flag }) => flag);
  if (absent.length === 0) return edits;
  if (python) {
    const last = call.list.namedChildren().at(-1);
    if (!last || last.is('comment')) return undefined;
    return [...edits, insertion(last.range().end.index, absent.map((flag) => `, ${flag}=True`).join(''))];
  }
  const members = absent.map((flag) => `${flag}: true`).join(', ');
  const options = call.positional[2];
  if (!options) {
    const last = call.positional[1];
    return last && !call.open ? [...edits, insertion(last.range().end.index, `, { ${members} }`)] : undefined;
  }
  if (!options.is('object')) return undefined;
  const last = options.namedChildren().at(-1);
  if (last?.is('comment')) return undefined;
  if (!last) return [replace(options, `{ ${members} }`)];
  return [...edits, insertion(last.range().end.index, `, ${members}`)].sort((a, b) => a.start - b.start);
}

/**
 * `Math.random().toString(36).slice(2)` → a random UUID without its dashes. Only this shape: its length varies, so nobody
 * can rely on one, and the letters of the new text are among those of the old.
 */
function randomUuid({ node, bindings }: Candidate): TextEdit[] | undefined {
  const [toText, cut] = [...callsOnto(node)];
  if (!toText || !cut) return undefined;
  if (
    !/\.toString\(\s*(16|32|36)\s*,?\s*\)$/.test(toText.text()) ||
    !/\.(slice|substring|substr)\(\s*2\s*,?\s*\)$/.test(cut.text())
  ) {
    return undefined;
  }
  const names = [...bindings.imports()];
  const direct = names.find(([, full]) => full === 'crypto.randomUUID')?.[0];
  const module = names.find(([, full]) => full === 'crypto')?.[0];
  const make = direct ?? (module ? `${module}.randomUUID` : 'globalThis.crypto.randomUUID');
  const root = bindings.root.text();
  const quote = root.split('"').length > root.split("'").length ? '"' : "'";
  return [replace(cut, `${make}().replaceAll(${quote}-${quote}, ${quote}${quote})`)];
}

/** The calls that are chained onto a call, inside out. */
function* callsOnto(node: Node): Generator<Node> {
  let object = node;
  for (const at of upwards(node)) {
    if (at.id() === node.id()) continue;
    if (at.is('member_expression')) {
      if (at.field('object')?.id() !== object.id()) return;
    } else if (at.is('call_expression')) {
      if (at.field('function')?.id() !== object.id()) return;
      yield at;
    } else return;
    object = at;
  }
}
