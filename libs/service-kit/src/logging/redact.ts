const HIDDEN = '[redacted]';

/** Names of members whose value is a secret, whatever it looks like. */
const SECRET_NAME =
  /^(authorization|proxy-?authorization|cookie|set-?cookie|password|passwd|passphrase|secret|client_?secret|token|internal_?token|access_?token|refresh_?token|id_?token|api_?key|apikey|x-api-key|private_?key|credentials?|connection_?string|database_?url|.*_(token|secret|password|api_?key))$/i;
const SECRET_CAMEL = /[a-z](Token|Secret|Password|ApiKey|PrivateKey)$/;

/** Secrets inside text. Each pattern keeps what tells a reader which kind of secret stood there. */
const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${HIDDEN}`],
  [/\b([a-z][a-z0-9+.-]{1,30}:\/\/)[^\s/?#@'"]+@/gi, `$1${HIDDEN}@`],
  [/\b(gh[pousr]_|github_pat_|glpat-|xox[abposr]-|npm_|sk-|sk_live_|rk_live_|dm_|hf_)[\w-]{12,}/g, `$1${HIDDEN}`],
  [/\b(AKIA|ASIA)[0-9A-Z]{16}\b/g, `$1${HIDDEN}`],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, HIDDEN],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN],
  [
    /\b((?:api[_-]?key|access[_-]?token|token|secret|password|passwd|authorization)["']?\s*[=:]\s*["']?)(?!\[redacted\]|(?:bearer|basic) )[^\s"'&,;}]{4,}/gi,
    `$1${HIDDEN}`,
  ],
];

/** Cheap first look: text without any of these can't match a pattern above. */
const SUSPICIOUS = /@|bearer|basic|_|-|AKIA|ASIA|eyJ|token|secret|passw|key|authorization/i;

/** The text with every secret that can be recognised replaced. */
export function redactText(text: string): string {
  if (!SUSPICIOUS.test(text)) return text;
  return SECRET_TEXT.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

const MAX_DEPTH = 6;

/** A copy with secrets replaced, by member name and by content. What is nested too deep is left out. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[too deep]';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      isSecretName(name) && member !== null && member !== undefined ? HIDDEN : redact(member, depth + 1),
    ]),
  );
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) || SECRET_CAMEL.test(name);
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: redactText(error.message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  };
}
