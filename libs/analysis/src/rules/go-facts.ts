import type { CallFacts } from '../flow/engine.js';
import type { Expr, Module, Stmt } from '../flow/ir.js';
import { pathOf } from '../flow/places.js';
import type { Value } from '../flow/value.js';
import { comparesSecret } from './javascript-forms.js';
import { namesGuard } from './purpose.js';

/** The function around a call, as text; the file where there is none. */
export function functionText({ frame }: CallFacts): string {
  const { fn, module } = frame;
  return fn ? module.text.slice(fn.start, fn.end) : module.text;
}

const CHECKSUM =
  /checksum|etag|cache|fingerprint|dedup|content.?(hash|md5|digest)|file.?(hash|sum)|git|s3|websocket|uuid|gravatar|legacy|bucket|shard|key.?hash|partition/i;

/** Whether a digest is for something that nobody gains from forging. */
export function isChecksum(call: CallFacts): boolean {
  const { frame, node } = call;
  const { text } = frame.module;
  const line = text.slice(text.lastIndexOf('\n', node.start) + 1, text.indexOf('\n', node.end));
  if (/passw|secret|token/i.test(line)) return false;
  return CHECKSUM.test(frame.fn?.name ?? '') || CHECKSUM.test(line) || CHECKSUM.test(frame.module.path);
}

/** A mode that lets others write. */
export const isWritable = (mode: Value | undefined): boolean =>
  typeof mode?.constant === 'number' && (mode.constant & 0o022) !== 0 && mode.constant <= 0o7777;

export const startsWith = (value: Value | undefined, prefix: RegExp): boolean => prefix.test(value?.shape ?? '');

/** Functions whose failure leaves what follows wrong, when nobody looks at it. */
const FALLIBLE =
  /^(json|xml|yaml|toml)\.Unmarshal$|^os\.(Remove|RemoveAll|Mkdir|MkdirAll|Rename|Chmod|Chown|WriteFile|Truncate|Symlink|Chdir)$|^ioutil\.WriteFile$|^rand\.Read$|(^|\.)(tx|db|DB|conn)\.(Exec|ExecContext|Commit)$|^bcrypt\.CompareHashAndPassword$/;

const unwrapped = (node: Expr): Expr => (node.k === 'await' ? node.value : node);

/** A call whose error is dropped: alone on its line, or with `_` in the error's place. */
export function dropsError(node: Stmt, { text }: Module): boolean {
  if (node.k !== 'expr') return false;
  // Somebody has said why.
  if (/\/\//.test(text.slice(node.end, text.indexOf('\n', node.end)))) return false;
  const value = unwrapped(node.value);
  if (value.k === 'call') {
    const word = text.slice(node.start, node.start + 6);
    return FALLIBLE.test(pathOf(value.callee) ?? '') && !/^(defer|go)\s/.test(word);
  }
  if (value.k !== 'assign' || value.value.k !== 'call') return false;
  const { target } = value;
  const last = target.k === 'list' ? target.items.at(-1)?.value : undefined;
  return (
    last?.k === 'name' &&
    last.name === '_' &&
    /^(rand\.Read|jwt\.Parse\w*|x509\.Parse\w*|os\.(Open|Create|ReadFile)|ioutil\.Read(All|File)|io\.ReadAll)$/.test(
      pathOf(value.value.callee) ?? '',
    )
  );
}

/** A comparison with a secret that ends at the first character that differs. */
export function comparesInTime(node: Expr): boolean {
  if (comparesSecret(node)) return true;
  if (node.k !== 'op' || !/^[!=]=$/.test(node.op)) return false;
  const [left, right] = node.operands;
  if (!left || !right) return false;
  const names = [left, right].map((one) => (one.k === 'name' || one.k === 'member' ? one.name : ''));
  const isCall = [left, right].some(
    (one) =>
      one.k === 'call' &&
      one.callee.k === 'member' &&
      /^(Get|FormValue|Query|PostForm|EncodeToString)$/.test(one.callee.name),
  );
  return isCall && names.some((name) => /token|secret|signature|hmac|apikey|api_?key|password|digest$/i.test(name));
}

/** Randomness for something that must not be guessed. */
export function guards({ frame, node }: CallFacts): boolean {
  const { text } = frame.module;
  const line = text.slice(text.lastIndexOf('\n', node.start) + 1, node.start);
  return (
    namesGuard(frame.fn?.name ?? '') ||
    namesGuard(/([\w.]+)\s*:?=/.exec(line)?.[1] ?? '') ||
    namesGuard(/(\w+)\s*:\s*[^:]*$/.exec(line)?.[1] ?? '')
  );
}

const HARMLESS_COOKIE = /theme|lang|locale|consent|seen|pref|color|csrf|xsrf|banner|tz|timezone/i;

export function lacksFlags(call: CallFacts): boolean {
  const field = (name: string): Value['constant'] => call.named.get(name)?.constant;
  if (call.named.size === 0 || HARMLESS_COOKIE.test(String(field('Name') ?? ''))) return false;
  const age = field('MaxAge');
  if ((typeof age === 'number' && age < 0) || call.named.get('Value')?.constant === '') return false;
  const text = functionText(call);
  const isSet = (name: string): boolean => {
    const value = call.named.get(name);
    return value ? value.constant !== false : new RegExp(`\\.${name}\\s*=`).test(text);
  };
  return !isSet('HttpOnly') || !isSet('Secure');
}

/** Whether an answer holds the words of an error. */
export function tellsError(value: Value | undefined, depth = 0): boolean {
  if (!value || depth > 2) return false;
  if (/(^|\.)Error\(\)$/.test(value.ref ?? '') || value.ref === 'ERROR') return true;
  return [...(value.fields?.values() ?? []), ...(value.items ?? [])].some((one) => tellsError(one, depth + 1));
}

export const isServerError = (value: Value | undefined): boolean =>
  value?.constant === 500 || value?.ref === 'net/http.StatusInternalServerError';
