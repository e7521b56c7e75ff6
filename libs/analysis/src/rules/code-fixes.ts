import type { Node } from '../parse/syntax.js';
import type { Candidate } from './candidate.js';
import { membersOf, type NamedArgument } from './calls.js';
import type { TextEdit } from './text-edit.js';

/** Fixes of one node, by name: `fix-templates.ts` says what they promise. */
export const CODE_FIXES = {
  /** `random.choice(x)` → `random.SystemRandom().choice(x)`: the same methods, over the system's source. A seed was of no use to what must not be guessed. */
  'system-random': ({ call, bindings }) => {
    const module = call?.callee.is('attribute') ? call.callee.field('object') : undefined;
    if (!call || !module?.is('identifier')) return undefined;
    if (!/^random\.(?!seed$|SystemRandom$|Random$)\w+$/.test(bindings.nameOf(call.callee))) return undefined;
    return [after(module, '.SystemRandom()')];
  },
  /** `crypto.pseudoRandomBytes` → `crypto.randomBytes`: the old name of the same function. */
  'random-bytes': ({ call }) => {
    const name = call?.callee.field('property');
    return name?.text() === 'pseudoRandomBytes' ? [replaced(name, 'randomBytes')] : undefined;
  },
  /** `ssl._create_unverified_context()` → `ssl.create_default_context()` (without arguments: they differ), and `session.verify = False` → `True`. */
  'default-context': (of) => {
    const { call, bindings } = of;
    if (!call) return assignedTrue(of);
    const name = call.callee.field('attribute');
    if (bindings.nameOf(call.callee) !== 'ssl._create_unverified_context' || !name) return undefined;
    return call.list.namedChildren().length === 0 ? [replaced(name, 'create_default_context')] : undefined;
  },
  /** `rejectUnauthorized: false` → `true`, in the options of a call and one level below them. */
  'checked-certificate': ({ node, call }) => {
    if (!call) {
      const value = node.field('right');
      return value?.text() === 'false' ? [replaced(value, 'true')] : undefined;
    }
    const options = [call.named, ...[...call.named.values()].map(({ value }) => inside(value))];
    const wanted = options.flatMap((named) => [named.get('rejectUnauthorized'), named.get('strictSSL')]);
    return falseTo('true', wanted);
  },
  /** A key below 2048 bits that is written as a number → 2048. Keys that are there already stay as they are. */
  'long-key': ({ call, bindings }) => {
    if (!call) return undefined;
    const python = bindings.language === 'python';
    const name = bindings.nameOf(call.callee);
    if (!/(generate_private_key|RSA\.generate|DSA\.generate|rsa\.newkeys|generateKeyPair(Sync)?)$/.test(name))
      return undefined;
    const named = python ? ['key_size', 'bits'] : ['modulusLength', 'bits'];
    const candidates = [
      ...named.map((key) => call.named.get(key)?.value),
      ...(python ? call.positional.slice(0, 2) : []),
    ];
    const short = candidates.find((one) => one !== undefined && /^(512|768|1024|1536)$/.test(one.text()));
    return short && [replaced(short, '2048')];
  },
  /** `x is 'a'` → `x == 'a'`: whether equal texts are one object is nobody's promise. */
  'equals-literal': ({ node }) => {
    if (!node.is('comparison_operator')) return undefined;
    const words = node.children().filter((child) => /^(is|not|is not)$/.test(child.text()) && !child.is('identifier'));
    const [first] = words;
    const last = words.at(-1);
    if (!first || !last || node.namedChildren().length !== 2) return undefined;
    const text = words.map((word) => word.text()).join(' ');
    return [{ start: first.range().start.index, end: last.range().end.index, text: /not/.test(text) ? '!=' : '==' }];
  },
} as const satisfies Record<string, (of: Candidate) => TextEdit[] | undefined>;

function after(node: Node, text: string): TextEdit {
  const { end } = node.range();
  return { start: end.index, end: end.index, text };
}

function replaced(node: Node, text: string): TextEdit {
  const { start, end } = node.range();
  return { start: start.index, end: end.index, text };
}

function inside(value: Node): ReadonlyMap<string, NamedArgument> {
  return value.is('object') ? membersOf(value).members : new Map<string, NamedArgument>();
}

/** `x.verify = False` → `True`. A context whose `check_hostname` is turned on before its `verify_mode` would throw, and is left to people. */
function assignedTrue({ node }: Candidate): TextEdit[] | undefined {
  const [left, right] = [node.field('left'), node.field('right')];
  return left?.field('attribute')?.text() === 'verify' && right?.text() === 'False'
    ? [replaced(right, 'True')]
    : undefined;
}

function falseTo(text: string, named: readonly (NamedArgument | undefined)[]): TextEdit[] | undefined {
  const edits = named.flatMap((one) =>
    one && one.value.text().toLowerCase() === 'false' ? [replaced(one.value, text)] : [],
  );
  return edits.length > 0 ? edits.sort((a, b) => a.start - b.start) : undefined;
}
