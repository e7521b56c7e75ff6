import type { CallFacts } from '../flow/engine.js';
import type { Expr, Module, Stmt } from '../flow/ir.js';
import { pathOf } from '../flow/places.js';
import { HOLE, type Value } from '../flow/value.js';
import { argument } from './flow-match.js';
import { namesGuard } from './purpose.js';

type Attempt = Extract<Stmt, { k: 'try' }>;

/** Whether what a random value is for must not be guessed: by the function around it, or what it is assigned to. */
export function guardsValue({ frame, node }: CallFacts): boolean {
  const text = frame.module.text;
  const line = text.slice(text.lastIndexOf('\n', node.start) + 1, node.start);
  return (
    namesGuard(frame.fn?.name ?? '') ||
    namesGuard(/^\s*([\w.]+)\s*=/.exec(line)?.[1] ?? '') ||
    namesGuard(/([\w.]+)\s*[=:]\s*[^=:]*$/.exec(line)?.[1] ?? '')
  );
}

/** A mode that lets others write, or run what the owner wrote. */
export function isOpenMode(value: Value | undefined, { frame, node }: CallFacts): boolean {
  if (typeof value?.constant === 'number') return value.constant <= 0o7777 && (value.constant & 0o022) !== 0;
  const text = frame.module.text.slice(node.start, node.end);
  return value !== undefined && /S_I(RWXO|WOTH|RWXG|WGRP)\b/.test(text);
}

const HARMLESS = /theme|lang|locale|consent|seen|pref|color|csrf|xsrf|banner|tz|timezone/i;

export function lacksCookieFlags(call: CallFacts): boolean {
  // A jar of a client takes a cookie as it came from a server; an answer takes a name and a value.
  if (call.args.length === 1 && call.named.size === 0 && call.args[0]?.constant === undefined) return false;
  if (call.open || HARMLESS.test(String(argument(call, 0, 'key')?.constant ?? ''))) return false;
  // One that is taken back.
  if ([call.named.get('max_age'), call.named.get('expires')].some((age) => age?.constant === 0)) return false;
  const [httpOnly, secure] = [call.named.get('httponly'), call.named.get('secure')];
  return httpOnly?.constant === false || secure?.constant === false || !httpOnly || !secure;
}

const PASSWORD =
  /(^|_)(pass|password|passwd|pwd|passphrase|secret|secret_?key|token|api_?key|auth_?token|access_?key)s?$/i;

/** A literal for something that is named a password. */
export function literalPassword(target: Expr | undefined, value: Expr | undefined): boolean {
  if (!target || value?.k !== 'const' || typeof value.value !== 'string') return false;
  const name = target.k === 'name' || target.k === 'member' ? target.name : '';
  const text = value.value;
  if (!PASSWORD.test(name.replace(/([a-z])([A-Z])/g, '$1_$2'))) return false;
  if (
    text.length < 3 ||
    /\s|^[<{$%]|^https?:|[\u0000]/.test(text) ||
    /^(none|null|true|false|str|password|passwd|token|secret|user|username|text|string|optional|required|hidden|basic|bearer|x-[\w-]+|authorization)$/i.test(
      text,
    )
  )
    return false;
  return !(
    text.toLowerCase().replace(/[-_ ]/g, '') === name.toLowerCase().replace(/_/g, '') ||
    /^[A-Z][A-Z0-9_]*$/.test(text) ||
    /^[a-z]+(_[a-z]+)+$/.test(text) ||
    /^\W+$/.test(text)
  );
}

/** Whether an argument is a name that tells of itself that it is a password: its literal is found where it stands. */
export const isToldByName = ({ node }: CallFacts, argument: string): boolean =>
  node.args.some(({ name, value }) => name === argument && value.k === 'name' && PASSWORD.test(value.name));

const WIDE = /^(Exception|BaseException|StandardError)$/;

/** Text that is called markup although something in it was not escaped. */
export function marksUnescaped({ args, frame, node }: CallFacts): boolean {
  const [value] = args;
  if (!value || value.constant !== undefined || /escape|format_html|render|json/i.test(value.ref ?? '')) return false;
  // Made only to have its tags taken off again.
  if (/^\s*\.\s*(striptags|unescape)\b/.test(frame.module.text.slice(node.end, node.end + 40))) return false;
  const { taint, shape } = value;
  if (!taint) return shape !== undefined && shape.includes(HOLE) && /</.test(shape);
  if (taint.cleared.has('xss')) return false;
  // What came out of a function that nobody knows may have been escaped there.
  return taint.origin !== 'caller' || !taint.way.before || (shape !== undefined && /</.test(shape));
}

/** `except: pass` of everything, without a word of why. */
export function swallows(node: Attempt, module: Module): boolean {
  // What a finalizer throws is ignored anyway; `else` says that both ways are meant.
  const names = [...module.text.slice(0, node.start).matchAll(/^[ \t]*(?:async )?def (\w+)/gm)];
  if (names.at(-1)?.[1] === '__del__') return false;
  if (/\n[ \t]*else\s*:/.test(module.text.slice(node.handlers.at(-1)?.span.end ?? node.end, node.end))) return false;
  return node.handlers.some(({ types, body, span }) => {
    const wide = types.length === 0 || types.some((type) => WIDE.test(pathOf(type) ?? ''));
    const text = module.text.slice(span.start, span.end);
    const empty =
      body.every(({ k }) => k === 'leave') && /:\s*(#[^\n]*\s*)?(pass|continue|\.\.\.)\s*$/.test(text.trimEnd());
    return wide && empty && !/#/.test(text);
  });
}

/** An assert on who somebody is or what they may do. */
export function guardsAccess(test: Expr): boolean {
  const node = test.k === 'call' ? test.callee : test;
  return /(^|\.)(is_(admin|staff|superuser|authenticated|authorized|owner|allowed)|has_(perm|permission|role|access)\w*|check_(permission|password|auth)\w*|can_\w+)$/.test(
    pathOf(node) ?? '',
  );
}

/** A handler of a web application that answers with the text of what it caught. */
export function returnsError(node: Attempt, module: Module): boolean {
  if (!/\b(flask|django|fastapi|bottle|aiohttp|starlette)\b/.test(module.text)) return false;
  return node.handlers.some(({ name, body }) => {
    const caught = name?.k === 'name' ? name.name : undefined;
    return body.some((line) => {
      if (line.k !== 'return' || !line.value) return false;
      const text = module.text.slice(line.start, line.end);
      return (
        /traceback\.format_exc\(/.test(text) ||
        (caught !== undefined &&
          new RegExp(`(str|repr)\\(\\s*${caught}\\s*\\)|\\{${caught}(![rs])?\\}|\\{str\\(${caught}\\)\\}`).test(text))
      );
    });
  });
}
