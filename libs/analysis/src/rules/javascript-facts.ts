import type { CallFacts } from '../flow/engine.js';
import { pathOf } from '../flow/places.js';
import { HOLE, type Value } from '../flow/value.js';
import { argument } from './flow-match.js';
import { namesGuard } from './purpose.js';

export const below = (value: Value | undefined, limit: number): boolean =>
  typeof value?.constant === 'number' && value.constant < limit && value.constant > 0;

/** The same in every call. */
export const isFixed = (value: Value | undefined): boolean =>
  (typeof value?.constant === 'string' && value.constant !== '') || value?.ref === 'Buffer.alloc()';

const around = ({ frame, node }: CallFacts): string =>
  `${frame.fn?.name ?? ''} ${frame.module.text.slice(Math.max(0, node.start - 90), node.end + 40)}`;

/** A digest that only tells whether something changed. */
export const isChecksum = (call: CallFacts): boolean =>
  /e-?tag|check_?sum|cache|fingerprint|gravatar|integrity|content_?hash|file_?hash|websocket|accept|dedup|chunk|\bgit\b|uuid|shard|bucket_?key|content-md5/i.test(
    around(call),
  );

export const guards = ({ frame, node }: CallFacts): boolean =>
  namesGuard(`${frame.fn?.name ?? ''} ${frame.module.text.slice(Math.max(0, node.start - 60), node.start)}`);

/** A function that finds nothing wrong with any certificate: `() => undefined`. */
export const saysYes = (value: Value | undefined, text: string): boolean =>
  value?.closures?.some(({ fn }) =>
    /^(async\s*)?\(?[^()]*\)?\s*=>\s*(undefined|null|true|void 0|\{\s*(return;?)?\s*\})$|^function\s*\w*\([^)]*\)\s*\{\s*(return( null| undefined)?;?)?\s*\}$/.test(
      text.slice(fn.start, fn.end),
    ),
  ) === true;

export function listHas(value: Value | undefined, pattern: RegExp): boolean {
  if (typeof value?.constant === 'string') return pattern.test(value.constant);
  return value?.items?.some((one) => typeof one.constant === 'string' && pattern.test(one.constant)) === true;
}

export const isEmpty = (value: Value | undefined): boolean =>
  value !== undefined && (value.constant === '' || value.constant === null || value.constant === false);

/** Text of the source where a key is meant. */
function isSecretText(value: Value | undefined): boolean {
  const text = value?.constant;
  return (
    typeof text === 'string' &&
    text.length >= 4 &&
    !/PUBLIC KEY|BEGIN CERTIFICATE|^<|^\$\{|^(changeme|your[-_ ])/i.test(text)
  );
}

/** Such text in the same file: where it comes from another one, it is found there. */
export function isOwnSecret(call: CallFacts, value: Value | undefined): boolean {
  return isSecretText(value) && call.frame.module.text.includes(String(value?.constant));
}

export function hasPassword(call: CallFacts): boolean {
  const options = [
    call.args[0],
    call.args[0]?.fields?.get('auth'),
    call.args[0]?.fields?.get('connection'),
    call.args.at(-1),
  ];
  if (
    options.some((one) =>
      ['password', 'pass', 'passwd', 'secretAccessKey'].some((name) => isOwnSecret(call, one?.fields?.get(name))),
    )
  )
    return true;
  return /sequelize/i.test(call.ref) && call.args.length >= 3 && isOwnSecret(call, call.args[2]);
}

const HARMLESS_COOKIE = /theme|lang|locale|consent|seen|pref|color|dismiss|csrf|xsrf|banner|tz|timezone/i;

export function isClearing(call: CallFacts): boolean {
  const [name, value] = call.args;
  return (
    value?.constant === '' ||
    HARMLESS_COOKIE.test(String(name?.constant ?? '')) ||
    argument(call, 'maxAge')?.constant === 0
  );
}

export function lacksFlags(options: Value | undefined): boolean {
  if (!options) return true;
  if (!options.fields) return false;
  const [httpOnly, secure] = [options.fields.get('httpOnly'), options.fields.get('secure')];
  if (httpOnly?.constant === false || secure?.constant === false) return true;
  return options.open !== true && (!httpOnly || !secure);
}

export function lacksSession(call: CallFacts): boolean {
  const [options] = call.args;
  if (!options?.fields || call.open) return false;
  const cookie =
    call.ref === 'express-session' || call.ref === 'client-sessions' ? options.fields.get('cookie') : options;
  if (!cookie) return options.open !== true;
  if (!cookie.fields) return false;
  const [httpOnly, secure] = [cookie.fields.get('httpOnly'), cookie.fields.get('secure')];
  return httpOnly?.constant === false || secure?.constant === false || (!secure && cookie.open !== true);
}

export const turnedOff = (options: Value | undefined): boolean =>
  options?.fields?.get('httpOnly')?.constant === false || options?.fields?.get('secure')?.constant === false;

export function cookieText(value: Value | undefined): boolean {
  const texts = (value?.items ?? [value]).map((one) => one?.shape);
  return texts.some(
    (text) => text !== undefined && text.includes('=') && !(/httponly/i.test(text) && /secure/i.test(text)),
  );
}

export function isAnyOrigin(value: Value | undefined): boolean {
  if (!value) return false;
  if (value.constant === '*' || value.constant === true || value.taint?.origin === 'remote') return true;
  // A function that says yes to whoever asks.
  for (const { fn, frame } of value.closures ?? []) {
    const text = frame.module.text.slice(fn.start, fn.end);
    if (/\(\s*null\s*,\s*true\s*\)/.test(text) && !/includes|indexOf|===|\.test\(|\.has\(|if\s*\(/.test(text))
      return true;
  }
  return value.regex?.pattern === '.*' || value.items?.some((one) => one.constant === '*') === true;
}

/** An address of another machine without encryption. */
export function isPlainAddress(value: Value | undefined): boolean {
  const match = /^(?:http|ws|ftp):\/\/([^/:?#]+)/.exec(value?.shape ?? '');
  const host = match?.[1] ?? '';
  return (
    host.includes('.') &&
    !host.includes(HOLE) &&
    !/^(localhost|127\.|0\.0\.0\.0|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.)|(^|\.)(example(\.(com|org|net))?|local|localhost|internal|test|invalid|svc|cluster)$/.test(
      host,
    )
  );
}

export function isWideMode(value: Value | undefined): boolean {
  const raw = value?.constant;
  const mode =
    typeof raw === 'string'
      ? /^0?o?[0-7]{3,4}$/.test(raw)
        ? Number.parseInt(raw.replace('o', ''), 8)
        : 0
      : typeof raw === 'number'
        ? raw
        : 0;
  return mode <= 0o7777 && (mode & 0o002) !== 0;
}

export function isHuge(value: Value | undefined): boolean {
  if (value?.ref === 'Infinity') return true;
  const raw = value?.constant;
  if (typeof raw === 'number') return raw > 50_000_000;
  const [, count, unit] = /^(\d+)\s*(kb|mb|gb)$/i.exec(typeof raw === 'string' ? raw : '') ?? [];
  return count !== undefined && (unit?.toLowerCase() === 'gb' || (unit?.toLowerCase() === 'mb' && Number(count) > 50));
}

/** A policy for scripts that allows what stands in the page, or eval. */
export function looseSources({ frame, node }: CallFacts): boolean {
  const text = frame.module.text.slice(node.start, node.end);
  return /(script-?src|default-?src)["']?\s*:\s*\[[^\]]*(unsafe-inline|unsafe-eval|["']\*["'])/i.test(text);
}

/** `reply.send(error)`: Fastify takes an error to the error handler of the application. */
export function leavesErrorToFramework({ node, method, args }: CallFacts): boolean {
  const { callee } = node;
  return method === 'send' && callee.k === 'member' && pathOf(callee.object) === 'reply' && args[0]?.ref === 'ERROR';
}

export function showsError(value: Value | undefined, depth = 0): boolean {
  if (!value || depth > 2) return false;
  if (/^ERROR(\.stack)?(\.toString\(\))?$/.test(value.ref ?? '')) return true;
  return [...(value.fields?.values() ?? [])].some((one) => showsError(one, depth + 1));
}
