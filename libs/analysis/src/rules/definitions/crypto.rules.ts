import type { RuleDefinition } from '../rule.js';

/** What the name of a credential has in it, in any case; the predicate looks at the rest of the name. */
const SECRET_WORD = '(?i)passw|passphrase|passcode|secret|key|token|credential';

/** Secrets, randomness, hashes, certificates, and the comparison of what must not be guessed. */
export const CRYPTO_RULES: readonly RuleDefinition[] = [
  {
    id: 'js-guessable-random',
    class: 'insecure-random',
    cwe: 338,
    severity: 'high',
    confidence: 'medium',
    languages: ['typescript', 'javascript', 'tsx'],
    message:
      'Math.random can be predicted from a few of its results, and this value guards something. Make it with crypto.randomUUID, crypto.randomBytes or crypto.getRandomValues.',
    matches: [
      { find: { kind: 'call_expression' }, where: [{ callee: ['Math.random'] }, { predicate: 'guards-something' }] },
    ],
    fix: {
      description: 'Take the value from crypto',
      apply: 'random-uuid',
      safe: 'Only `Math.random().toString(36).slice(2)` and `Math.floor(Math.random() * N)`: the first has no fixed length, so nobody can rely on one, and its letters stay among 0-9a-z; the second stays an integer of the same range. Nobody can rely on which value comes.',
    },
    references: ['https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Global_Objects/Math/random'],
    examples: {
      bad: [
        'const token = Math.random().toString(36).slice(2);',
        'export function makeSessionId() { return `s${Math.random()}`; }',
        'export const f = () => ({ resetCode: Math.floor(Math.random() * 1e6) });',
        "export function f(res) { const v = Math.random().toString(36); res.cookie('session', v); }",
      ],
      good: [
        'const jitter = Math.random() * 250;',
        "import { randomUUID } from 'node:crypto';\nconst token = randomUUID();",
        'export function pick(list) { return list[Math.floor(Math.random() * list.length)]; }',
        'const label = Math.random().toString(36).slice(2);',
      ],
    },
  },
  {
    id: 'py-guessable-random',
    class: 'insecure-random',
    cwe: 338,
    severity: 'high',
    confidence: 'medium',
    languages: ['python'],
    message:
      'The random module can be predicted from its results, and this value guards something. Make it with the secrets module.',
    matches: [
      {
        find: { kind: 'call' },
        where: [
          {
            callee: [
              'random',
              'randint',
              'randrange',
              'choice',
              'choices',
              'sample',
              'getrandbits',
              'randbytes',
              'uniform',
            ].map((name) => `random.${name}`),
          },
          { predicate: 'guards-something' },
        ],
      },
    ],
    fix: {
      description: "Take the value from the system's generator",
      apply: 'system-random',
      safe: "random.SystemRandom has the same functions with the same results' types and distribution; only which value comes differs. A file that calls seed() may rely on that and is left to people.",
    },
    references: ['https://docs.python.org/3/library/secrets.html'],
    examples: {
      bad: [
        'import random\ntoken = random.getrandbits(64)\n',
        'import random as r\ndef make_otp():\n    return "".join(r.choice("0123456789") for _ in range(6))\n',
        'from random import randint\nsession_id = str(randint(0, 10**12))\n',
      ],
      good: [
        'import random\ndelay = random.uniform(0, 1)\n',
        'import secrets\ntoken = secrets.token_urlsafe(32)\n',
        'import random\ntoken = random.SystemRandom().getrandbits(64)\n',
      ],
    },
  },
  {
    id: 'js-weak-hash',
    class: 'weak-crypto',
    cwe: 327,
    severity: 'high',
    confidence: 'medium',
    languages: ['typescript', 'javascript', 'tsx'],
    message:
      'MD5 and SHA-1 are broken, and as a fast hash they let passwords be tried by the billion. Use scrypt or argon2 for passwords, SHA-256 with HMAC for signatures; what is stored needs a migration.',
    matches: [
      {
        find: { kind: 'call_expression' },
        where: [
          { callee: ['crypto.createHash', 'crypto.createHmac'] },
          { argument: 0, is: { matches: /^(md4|md5|sha-?1|ripemd160)$/i } },
          { any: [[{ predicate: 'guards-something' }], [{ predicate: 'eats-something-that-guards' }]] },
        ],
      },
      { find: { kind: 'call_expression' }, where: [{ callee: ['crypto.createCipher', 'crypto.createDecipher'] }] },
      {
        find: { kind: 'call_expression' },
        where: [
          { callee: ['crypto.createCipheriv'] },
          { argument: 0, is: { matches: /^(des|rc4|rc2|bf|blowfish)|-ecb$/i } },
        ],
      },
    ],
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html'],
    examples: {
      bad: [
        "import { createHash } from 'node:crypto';\nexport const hashPassword = (p) => createHash('md5').update(p).digest('hex');",
        "const crypto = require('crypto');\nfunction f(user, password) { user.hash = crypto.createHash('sha1').update(password).digest('hex'); }",
        "import crypto from 'crypto';\nexport const f = (key, iv) => crypto.createCipheriv('des-cbc', key, iv);",
      ],
      good: [
        "import { createHash } from 'node:crypto';\nexport const etag = (body) => createHash('md5').update(body).digest('hex');",
        "import { createHash } from 'node:crypto';\nexport const f = (token) => createHash('sha256').update(token).digest('hex');",
        "import crypto from 'crypto';\nexport const f = (key, iv) => crypto.createCipheriv('aes-256-gcm', key, iv);",
      ],
    },
  },
  {
    id: 'py-weak-hash',
    class: 'weak-crypto',
    cwe: 327,
    severity: 'high',
    confidence: 'medium',
    languages: ['python'],
    message:
      'MD5 and SHA-1 are broken, and as a fast hash they let passwords be tried by the billion. Use hashlib.scrypt or argon2 for passwords, SHA-256 with HMAC for signatures; what is stored needs a migration.',
    matches: [
      {
        find: { kind: 'call' },
        where: [
          {
            any: [
              [{ callee: ['hashlib.md5', 'hashlib.sha1'] }],
              [{ callee: ['hashlib.new'] }, { argument: [0, 'name'], is: { matches: /^(md4|md5|sha-?1)$/i } }],
            ],
          },
          { not: [{ argument: 'usedforsecurity', is: 'false' }] },
          { any: [[{ predicate: 'guards-something' }], [{ predicate: 'eats-something-that-guards' }]] },
        ],
      },
      {
        find: { kind: 'call' },
        where: [
          {
            callee: [
              'Crypto.Cipher.DES.new',
              'Crypto.Cipher.ARC4.new',
              'Cryptodome.Cipher.DES.new',
              'Crypto.Cipher.DES3.new',
            ],
          },
        ],
      },
    ],
    references: ['https://docs.python.org/3/library/hashlib.html'],
    examples: {
      bad: [
        'import hashlib\ndef store(password):\n    return hashlib.md5(password.encode()).hexdigest()\n',
        'from hashlib import sha1 as h\ndef check_token(value):\n    return h(value).hexdigest()\n',
        'import hashlib\napi_key = hashlib.new("md5", b"x").hexdigest()\n',
      ],
      good: [
        'import hashlib\ndef etag(body):\n    return hashlib.md5(body).hexdigest()\n',
        'import hashlib\ndef f(password):\n    return hashlib.md5(password, usedforsecurity=False).hexdigest()\n',
        'import hashlib\ndef f(password, salt):\n    return hashlib.scrypt(password, salt=salt, n=2**14, r=8, p=1)\n',
      ],
    },
  },
  {
    id: 'js-certificates-not-checked',
    class: 'tls-verify-off',
    cwe: 295,
    severity: 'high',
    confidence: 'high',
    languages: ['typescript', 'javascript', 'tsx'],
    skipsTests: true,
    message:
      'The certificate of the other side is not checked, so anybody on the way can read and change what is sent. Leave checking on; give the authority of a private certificate as `ca`.',
    matches: [
      {
        find: { kind: 'pair', has: { field: 'key', regex: '^["\']?rejectUnauthorized["\']?$' } },
        where: [{ predicate: 'value-is-false' }],
        needs: /rejectUnauthorized|check_hostname|verify/,
      },
      {
        find: {
          kind: 'assignment_expression',
          has: { field: 'left', kind: 'member_expression', has: { field: 'property', regex: '^rejectUnauthorized$' } },
        },
        where: [{ predicate: 'value-is-false' }],
        needs: /rejectUnauthorized|check_hostname|verify/,
      },
    ],
    fix: {
      description: 'Check the certificate',
      apply: 'reject-unauthorized-true',
      safe: 'A connection to who it should be to works as before; one that anybody can pose as is refused, with an error that names the certificate (a private authority is then named, as the message says). Servers, where it asks clients for certificates, are left to people.',
    },
    references: ['https://nodejs.org/api/tls.html#tlsconnectoptions-callback'],
    examples: {
      bad: [
        "import https from 'node:https';\nnew https.Agent({ rejectUnauthorized: false });",
        "const OFF = false;\nconst options = { 'rejectUnauthorized': OFF };",
        'export function f(options) { options.rejectUnauthorized = false; }',
      ],
      good: [
        "import https from 'node:https';\nnew https.Agent({ rejectUnauthorized: true });",
        'export const f = (strict) => ({ rejectUnauthorized: strict });',
        "import https from 'node:https';\nexport const f = (ca) => new https.Agent({ ca });",
      ],
    },
  },
  {
    id: 'js-certificates-off-for-process',
    class: 'tls-verify-off',
    cwe: 295,
    severity: 'high',
    confidence: 'high',
    languages: ['typescript', 'javascript', 'tsx'],
    message:
      'This turns the check of certificates off for every connection of the process. Leave it on; give the authority of a private certificate as `ca`, or in NODE_EXTRA_CA_CERTS.',
    matches: [
      {
        find: {
          kind: 'assignment_expression',
          has: { field: 'left', regex: 'NODE_TLS_REJECT_UNAUTHORIZED["\']?\\]?$' },
        },
        where: [{ predicate: 'value-is-zero' }],
        needs: /NODE_TLS_REJECT_UNAUTHORIZED/,
      },
    ],
    fix: {
      description: 'Check certificates',
      apply: 'reject-unauthorized-one',
      safe: 'A connection to who it should be to works as before; one that anybody can pose as is refused, with an error that names the certificate (a private authority is then named, as the message says).',
    },
    references: ['https://nodejs.org/api/cli.html#node_tls_reject_unauthorizedvalue'],
    examples: {
      bad: [
        "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';",
        'process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = 0;',
        "import { env } from 'node:process';\nconst OFF = '0';\nenv.NODE_TLS_REJECT_UNAUTHORIZED = OFF;",
      ],
      good: [
        "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '1';",
        'delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;',
        "if (process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0') throw new Error('no');",
      ],
    },
  },
  {
    id: 'py-certificates-not-checked',
    class: 'tls-verify-off',
    cwe: 295,
    severity: 'high',
    confidence: 'high',
    languages: ['python'],
    message:
      'The certificate of the other side is not checked, so anybody on the way can read and change what is sent. Leave checking on; give the path of a private authority as `verify`.',
    matches: [
      {
        find: { kind: 'call' },
        where: [
          { argument: 'verify', is: 'false' },
          {
            callee: [
              ...['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'request', 'send', 'stream'].map(
                (name) => `*.${name}`,
              ),
              ...[
                'get',
                'post',
                'put',
                'patch',
                'delete',
                'head',
                'options',
                'request',
                'Client',
                'AsyncClient',
                'Session',
              ].flatMap((name) => [`requests.${name}`, `httpx.${name}`]),
            ],
          },
        ],
      },
    ],
    fix: {
      description: 'Check the certificate',
      apply: 'verify-true',
      safe: 'A connection to who it should be to works as before; one that anybody can pose as is refused, with an error that names the certificate (a private authority is then named, as the message says).',
    },
    references: ['https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification'],
    examples: {
      bad: [
        'import requests\nrequests.get("https://a.example", verify=False)\n',
        'from requests import post as send_to\nsend_to("https://a.example", json={}, verify = False,)\n',
        'import httpx\nCHECK = False\nclient = httpx.Client(verify=CHECK)\n',
      ],
      good: [
        'import requests\nrequests.get("https://a.example", verify=True)\n',
        'import requests\ndef f(ca):\n    return requests.get("https://a.example", verify=ca)\n',
        'import jwt\njwt.peek("x", verify=False)\n',
      ],
    },
  },
  {
    id: 'py-unverified-context',
    class: 'tls-verify-off',
    cwe: 295,
    severity: 'high',
    confidence: 'high',
    languages: ['python'],
    message:
      'This context takes any certificate, so anybody on the way can read and change what is sent. Use ssl.create_default_context, with the private authority as `cafile` where there is one.',
    matches: [
      { find: { kind: 'call' }, where: [{ callee: ['ssl._create_unverified_context', 'ssl._create_stdlib_context'] }] },
      {
        find: { kind: 'assignment', has: { field: 'left', kind: 'attribute', regex: '\\.verify_mode$' } },
        where: [{ predicate: 'value-is-cert-none' }],
        needs: /verify_mode/,
      },
      {
        find: { kind: 'assignment', has: { field: 'left', kind: 'attribute', regex: '\\.(check_hostname|verify)$' } },
        where: [{ predicate: 'value-is-false' }],
        needs: /rejectUnauthorized|check_hostname|verify/,
      },
    ],
    fix: {
      description: 'Check the certificate',
      apply: 'tls-checked',
      safe: 'A connection to who it should be to works as before; one that anybody can pose as is refused, with an error that names the certificate (a private authority is then named, as the message says). Files with contexts of servers, where this asks clients for certificates, are left to people.',
    },
    references: ['https://docs.python.org/3/library/ssl.html#ssl.create_default_context'],
    examples: {
      bad: [
        'import ssl\ncontext = ssl._create_unverified_context()\n',
        'from ssl import CERT_NONE as anything\ndef f(context):\n    context.verify_mode = anything\n',
        'def f(context):\n    context.check_hostname = False\n',
        'import requests\ns = requests.Session()\ns.verify = False\n',
      ],
      good: [
        'import ssl\ncontext = ssl.create_default_context()\n',
        'import ssl\ndef f(context):\n    context.verify_mode = ssl.CERT_REQUIRED\n',
        'def f(context):\n    context.check_hostname = True\n',
      ],
    },
  },
  {
    id: 'digest-compared-early-out',
    class: 'timing-attack',
    cwe: 208,
    severity: 'medium',
    confidence: 'high',
    languages: ['typescript', 'javascript', 'tsx', 'python'],
    message:
      'This comparison ends at the first wrong character, so its time tells how much of a forged signature is right. Compare with crypto.timingSafeEqual or hmac.compare_digest.',
    matches: [
      {
        find: { any: [{ kind: 'binary_expression' }, { kind: 'comparison_operator' }] },
        where: [{ predicate: 'compares-digest' }],
        needs: /hmac/i,
      },
    ],
    fix: {
      description: 'Compare in constant time',
      apply: 'constant-time',
      safe: 'Both sides go through the same function before they are compared, so the result is that of the old comparison for every value, whatever its type and length; only the time differs. Digests as bytes are left to people.',
    },
    references: ['https://cwe.mitre.org/data/definitions/208.html'],
    examples: {
      bad: [
        "import { createHmac } from 'node:crypto';\nexport const f = (k, b, s) => createHmac('sha256', k).update(b).digest('hex') === s;",
        "import crypto from 'crypto';\nexport function f(k, b, s) { const want = crypto.createHmac('sha256', k).update(b).digest('hex'); if (s !== want) throw new Error('no'); }",
        {
          language: 'python',
          code: 'import hmac\ndef f(k, b, s):\n    want = hmac.new(k, b, "sha256").hexdigest()\n    return want == s\n',
        },
      ],
      good: [
        "import { createHmac, timingSafeEqual } from 'node:crypto';\nexport const f = (k, b, s) => timingSafeEqual(createHmac('sha256', k).update(b).digest(), s);",
        "import { createHash } from 'node:crypto';\nexport const same = (a, etag) => createHash('sha256').update(a).digest('hex') === etag;",
        {
          language: 'python',
          code: 'import hmac\ndef f(k, b, s):\n    return hmac.compare_digest(hmac.new(k, b, "sha256").hexdigest(), s)\n',
        },
      ],
    },
  },
  {
    id: 'literal-credential',
    class: 'hardcoded-secret',
    cwe: 798,
    severity: 'high',
    confidence: 'medium',
    languages: ['typescript', 'javascript', 'tsx', 'python'],
    skipsTests: true,
    message:
      'A credential stands in the source, so everybody who sees the repository has it, for as long as its history lives. Revoke it, and read the new one from the environment or a secret store.',
    matches: [
      {
        find: {
          any: (
            [
              ['variable_declarator', 'name'],
              ['assignment_expression', 'left'],
              ['pair', 'key'],
              ['field_definition', 'property'],
              ['public_field_definition', 'name'],
              ['assignment', 'left'],
              ['keyword_argument', 'name'],
              ['default_parameter', 'name'],
            ] as const
          ).map(([kind, field]) => ({ kind, has: { field, regex: SECRET_WORD } })),
        },
        where: [{ predicate: 'literal-secret' }],
        // Such a name, and soon after it a text.
        needs:
          /(?:passw|passphrase|passcode|secret|key|token|credential)[\w$"'`\] :<>.|?]{0,60}[=:][^;{}]{0,160}?["'`]/i,
      },
    ],
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html'],
    examples: {
      bad: [
        "const dbPassword = 'rainy-Harbour-4417';",
        "export const options = { user: 'app', password: 'k3ttle&Lamp' };",
        "const secret = process.env.APP_SECRET ?? 'q9Zr-44tulip';",
        { language: 'python', code: 'SMTP_PASSWORD = "rainy-Harbour-4417"\n' },
        { language: 'python', code: 'import os\nAPI_KEY = os.environ.get("API_KEY", "9f2c77aa01be")\n' },
      ],
      good: [
        'const dbPassword = process.env.DB_PASSWORD;',
        "const password = 'change-me-1';",
        "const PASSWORD_FIELD = 'user-password-2';\nconst passwordFile = '/run/secrets/password1';",
        "const token = 'next-token';",
        {
          language: 'python',
          code: 'import os\nSMTP_PASSWORD = os.environ["SMTP_PASSWORD"]\nSMTP_PASSWORD_FILE = "/run/secrets/smtp1"\n',
        },
      ],
    },
  },
];
