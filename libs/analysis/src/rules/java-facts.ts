import type { CallFacts } from '../flow/engine.js';
import type { Class, Expr, Module, Stmt } from '../flow/ir.js';
import { pathOf } from '../flow/places.js';
import type { Value } from '../flow/value.js';
import { functionText } from './go-facts.js';

const HARDENED =
  /disallow-doctype-decl|external-general-entities|ACCESS_EXTERNAL_(DTD|SCHEMA|STYLESHEET)|SUPPORT_DTD|IS_SUPPORTING_EXTERNAL_ENTITIES|setEntityResolver|FEATURE_SECURE_PROCESSING|setExpandEntityReferences\(\s*false|load-external-dtd/;

/** A maker of XML parsers that nobody tells to leave entities alone, in a function or in the class around it. */
export const readsEntities = (call: CallFacts): boolean =>
  // An empty document is made, and none is read.
  !(/\.newDocument\(/.test(functionText(call)) && !/\.parse\(/.test(functionText(call))) &&
  !HARDENED.test(functionText(call)) &&
  !/(harden|secure|safe|configure|disable)\w*\(\s*\w*(factory|parser|reader|dbf|spf)/i.test(functionText(call));

const GUARDING =
  /remember_?me|token|session_?(id|key)|passw(or)?d|secret|\botp\b|nonce|csrf|api_?key|reset_?code|verification_?code|salt/i;

/** Whether a random value is for something that must not be guessed: by the words of the function around it. */
export const guardsSomething = (call: CallFacts): boolean => {
  const { fn, module } = call.frame;
  return (
    GUARDING.test(functionText(call)) || GUARDING.test(fn?.name ?? '') || /token|password|secret/i.test(module.path)
  );
};

const WEAK_CIPHER = /^(DES|DESede|TripleDES|RC2|RC4|ARCFOUR|Blowfish|IDEA|SEED)(\/|$)|\/ECB(\/|$)|^AES$/i;
const WEAK_HASH = /^(MD[245]|SHA-?1|SHA)$/i;
export const isWeakCipher = (value: Value | undefined): boolean => WEAK_CIPHER.test(String(value?.constant ?? ''));
export const isWeakHash = (value: Value | undefined): boolean => WEAK_HASH.test(String(value?.constant ?? ''));

const lines = (value: Expr | undefined): readonly Stmt[] | undefined =>
  value?.k === 'func' ? value.fn.body : undefined;
const isTrue = (value: Expr | undefined): boolean => value?.k === 'const' && value.value === true;

/** A check of certificates or names that lets everything through. */
export function trustsAll(cls: Class): { start: number; end: number } | false {
  for (const { name, value, span } of cls.members) {
    const body = lines(value);
    if (!body) continue;
    if (name === 'checkServerTrusted' && body.length === 0) return span;
    if (name === 'checkServerTrusted' && body.length === 1 && body[0]?.k === 'return' && body[0].value === undefined)
      return span;
    const [only] = body;
    const isVerifier = cls.bases.some((base) => /HostnameVerifier$/.test(pathOf(base) ?? ''));
    if (name === 'verify' && isVerifier && body.length === 1 && only?.k === 'return' && isTrue(only.value)) return span;
  }
  return false;
}

/** A verifier of names that always agrees. */
export const agreesAlways = (value: Value | undefined): boolean =>
  /Noop|ALLOW_ALL|AllowAll/.test(value?.ref ?? '') ||
  (value?.closures ?? []).some(
    ({ fn }) => fn.body.length === 1 && fn.body[0]?.k === 'return' && isTrue(fn.body[0].value),
  );

type Attempt = Extract<Stmt, { k: 'try' }>;
/** A handler of everything that does nothing, without a word of why. */
export function swallowsAll(node: Attempt, module: Module): boolean {
  return node.handlers.some(({ types, body, span, name }) => {
    const wide = types.some((type) => /^(Exception|Throwable|RuntimeException|Error)$/.test(pathOf(type) ?? ''));
    const text = module.text.slice(span.start, span.end);
    const isSaid = name?.k === 'name' && /^(ignored?|expected|unused|_)/.test(name.name);
    return wide && body.length === 0 && !/\/[/*]/.test(text) && !isSaid;
  });
}

/** Whether the answer of a servlet is said to be no page. */
export const isNoPage = (call: CallFacts): boolean =>
  /setContentType\(\s*"(?!text\/html)|setHeader\(\s*"Content-Type"\s*,\s*"(?!text\/html)|APPLICATION_JSON|produces\s*=\s*"(application|text\/plain)/.test(
    functionText(call),
  );

export const isWriter = (value: Value | undefined): boolean =>
  /^RES\.get(Writer|OutputStream)\(\)/.test(value?.ref ?? '');
