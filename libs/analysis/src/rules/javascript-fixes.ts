import { upwards, type Node } from '../parse/syntax.js';
import { unquoted } from './bindings.js';
import { membersOf, type NamedArgument } from './calls.js';
import type { Candidate } from './candidate.js';
import { Evaluator } from './evaluate.js';
import { memberOf, nodeMember } from './import-edits.js';
import { missingCookieFlags } from './predicates.js';
import { appended, endOf, insertion, quoteOf, removal, replace, type CodeFix, type TextEdit } from './text-edit.js';

/** How findings in JavaScript and TypeScript are mended; those of cookies in Python, too. */
export const JAVASCRIPT_FIXES = {
  /** `rejectUnauthorized: false` → `true`, where it stands or in the options of a call and one level below them. */
  'reject-unauthorized-true': ({ node, call }) => {
    const single = call ? undefined : (node.field('value') ?? node.field('right'));
    const options = call ? [call.named, ...[...call.named.values()].map(({ value }) => inside(value))] : [];
    const named = options.flatMap((one) => [one.get('rejectUnauthorized')?.value, one.get('strictSSL')?.value]);
    const off = [...named, single].flatMap((value) =>
      value && /^(?!true$)[A-Za-z_$][\w$]*$/.test(value.text()) ? [value] : [],
    );
    if (off.length === 0 || isOptionalForClients(node)) return undefined;
    return off.map((value) => replace(value, 'true')).sort((a, b) => a.start - b.start);
  },
  /** `crypto.pseudoRandomBytes` → `crypto.randomBytes`: the old name of the same function. */
  'random-bytes': (of) => {
    const name = of.call?.callee.field('property');
    if (name?.text() === 'pseudoRandomBytes') return [replace(name, 'randomBytes')];
    return randomUuid(of) ?? randomInteger(of);
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
    return short && [replace(short, '2048')];
  },
  /** `NODE_TLS_REJECT_UNAUTHORIZED = '0'` → `'1'`. */
  'reject-unauthorized-one': ({ node }) => {
    const value = node.field('right');
    const text = value?.text() ?? '';
    return value && /^(["']?)0\1$/.test(text) ? [replace(value, text.replace('0', '1'))] : undefined;
  },
  'cookie-flags': (of) => cookieFlags(of),
  'random-uuid': (of) => randomUuid(of) ?? randomInteger(of),
  /** `algorithms: ['HS256', 'none']` → `['HS256']`. */
  'algorithms-without-none': ({ call }) => {
    const list = call?.named.get('algorithms')?.value ?? call?.positional[2];
    if (!list?.is('array') && !list?.is('list')) return undefined;
    const items = list.namedChildren();
    const none = items.filter((item) => item.is('string') && unquoted(item).toLowerCase() === 'none');
    const [only] = none;
    return only && none.length === 1 && items.length > 1 && !items.some((item) => item.is('comment'))
      ? [removal(only)]
      : undefined;
  },
  /** `innerHTML = 'Hello ' + name` → `textContent`, where what is written has no markup. */
  'text-content': (of) => textContent(of),
  /** `eval('(' + json + ')')` → `JSON.parse(json)`. */
  'json-parse': ({ node, call, bindings }) => {
    const [code] = call?.positional ?? [];
    if (!code || call?.positional.length !== 1 || bindings.nameOf(call.callee) !== 'eval') return undefined;
    const [open, value, close, ...more] = new Evaluator(bindings).parts(code);
    if (more.length > 0 || !open || !value || !close) return undefined;
    if (!('text' in open) || !('hole' in value) || !('text' in close)) return undefined;
    const json = value.hole.text();
    return open.text === '(' && close.text === ')' && /^[\w$.]*json[\w$]*$/i.test(json)
      ? [replace(node, `JSON.parse(${json})`)]
      : undefined;
  },
} as const satisfies Record<string, CodeFix>;

function inside(value: Node): ReadonlyMap<string, NamedArgument> {
  return value.is('object') ? membersOf(value).members : new Map<string, NamedArgument>();
}

/** A server that asks for certificates and takes who has none says no to the others by itself. */
function isOptionalForClients(node: Node): boolean {
  for (const at of upwards(node)) {
    if (at.is('object') && membersOf(at).members.has('requestCert')) return true;
    const callee = at.field('function') ?? at.field('constructor');
    if (callee && /(Server|createServer|createSecureServer)$/.test(callee.text())) return true;
    if (at.is('statement_block')) return false;
  }
  return false;
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
    const more = appended(call.list, absent.map((flag) => `${flag}=True`).join(', '));
    return more && [...edits, more];
  }
  const members = absent.map((flag) => `${flag}: true`).join(', ');
  const options = call.positional[2];
  if (!options) {
    const last = call.positional[1];
    return last && !call.open ? [...edits, insertion(endOf(last), `, { ${members} }`)] : undefined;
  }
  if (!options.is('object')) return undefined;
  const last = options.namedChildren().at(-1);
  if (last?.is('comment')) return undefined;
  if (!last) return [replace(options, `{ ${members} }`)];
  return [...edits, insertion(endOf(last), `, ${members}`)].sort((a, b) => a.start - b.start);
}

/** The call of Math.random in what was found, which may be the call itself. */
function randomCall({ node, bindings }: Candidate): Node | undefined {
  const calls = [node, ...node.findAll({ rule: { kind: 'call_expression' } })];
  return calls.findLast(
    (one) => one.is('call_expression') && bindings.nameOf(one.field('function') ?? one) === 'Math.random',
  );
}

/**
 * `Math.random().toString(36).slice(2)` → a random UUID without its dashes. Only this shape: its length varies, so nobody
 * can rely on one, and the letters of the new text are among those of the old.
 */
function randomUuid(of: Candidate): TextEdit[] | undefined {
  const { bindings } = of;
  const random = randomCall(of);
  const [toText, cut] = random ? [...callsOnto(random)] : [];
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
  const quote = quoteOf(bindings.root.text());
  return [replace(cut, `${make}().replaceAll(${quote}-${quote}, ${quote}${quote})`)];
}

/** What randomInt takes. */
const MAX_RANDOM = 2 ** 48 - 1;

/** `Math.floor(Math.random() * 1e6)` → `randomInt(1e6)`: integers of the same range. */
function randomInteger(of: Candidate): TextEdit[] | undefined {
  const random = randomCall(of);
  const product = random?.parent();
  const list = product?.parent();
  const floor = list?.parent();
  if (!random || !product?.is('binary_expression') || product.field('operator')?.text() !== '*') return undefined;
  if (!list?.is('arguments') || list.namedChildren().length !== 1) return undefined;
  if (!floor?.is('call_expression') || floor.field('function')?.text() !== 'Math.floor') return undefined;
  const limit = [product.field('left'), product.field('right')].find((side) => side?.is('number'));
  const range = Number(limit?.text().replaceAll('_', ''));
  if (!limit || !Number.isSafeInteger(range) || range < 1 || range > MAX_RANDOM) return undefined;
  const made = nodeMember(of.bindings, 'crypto', 'randomInt');
  return made && [...made.edits, replace(floor, `${made.name}(${limit.text()})`)];
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

const TEXT_DIGEST = /\.digest\(\s*["'](hex|base64|base64url)["']\s*,?\s*\)$/;

/** A digest in text is compared as digests of both sides, which have one length whatever the sides are. */
export function timingSafeEqual({ node, bindings }: Candidate): TextEdit[] | undefined {
  const [left, right] = [node.field('left'), node.field('right')];
  const operator = node.field('operator')?.text() ?? '';
  if (!left || !right) return undefined;
  const isText = (side: Node): boolean =>
    TEXT_DIGEST.test((side.is('identifier') ? bindings.valueOf(side) : side)?.text() ?? '');
  const known = [left, right].find(isText);
  if (!known || [left, right].some((side) => side.text().includes('\n'))) return undefined;
  const equal = memberOf(bindings, 'crypto', 'timingSafeEqual');
  const hash = memberOf(bindings, 'crypto', 'createHash');
  if (!equal || !hash) return undefined;
  const quote = quoteOf(bindings.root.text());
  const digest = (side: Node): string =>
    `${hash.name}(${quote}sha256${quote}).update(${isText(side) ? side.text() : `String(${side.text()})`}).digest()`;
  const call = `${equal.name}(${digest(left)}, ${digest(right)})`;
  const imports = joined([...equal.edits, ...hash.edits]);
  return [...imports, replace(node, operator.startsWith('!') ? `!${call}` : call)];
}

/** Two insertions at one place are one edit. */
function joined(edits: readonly TextEdit[]): TextEdit[] {
  const [first, ...more] = edits;
  if (!first) return [];
  return [{ ...first, text: [first, ...more].map(({ text }) => text).join('') }];
}

function textContent({ node, bindings }: Candidate): TextEdit[] | undefined {
  const [target, value] = [node.field('left'), node.field('right')];
  const property = target?.field('property');
  if (!target || !value || property?.text() !== 'innerHTML') return undefined;
  if (/te?mpl|frag|svg|iframe/i.test(target.text())) return undefined;
  const parts = new Evaluator(bindings).parts(value);
  const texts = parts.flatMap((part) => ('text' in part ? [part.text] : []));
  const holes = parts.flatMap((part) => ('hole' in part ? [part.hole.text()] : []));
  if (
    texts.some((text) => /[<&]/.test(text)) ||
    holes.some((text) => /html|render|mark|saniti|purif|escap/i.test(text))
  )
    return undefined;
  // A sentence, or a part of the address: nobody writes markup into those on purpose.
  const isSentence = texts.some((text) => /\w/.test(text));
  const ofAddress = holes.every((text) => /\blocation\b|searchParams/i.test(text));
  return isSentence || ofAddress ? [replace(property, 'textContent')] : undefined;
}
