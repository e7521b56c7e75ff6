import type { CallFacts } from '../../flow/engine.js';
import type { Expr, Module, Stmt } from '../../flow/ir.js';
import type { Value } from '../../flow/value.js';
import { argument } from '../flow-match.js';
import { namesGuard } from '../purpose.js';
import { isSlowPattern } from '../slow-pattern.js';
import {
  comparesSecret,
  dropsEach,
  dropsPromise,
  emptyHandler,
  hasTwin,
  isPointless,
  isRequestKey,
  isTarget,
  mergesKeys,
  namesCredential,
} from '../javascript-forms.js';
import {
  below,
  cookieText,
  guards,
  hasPassword,
  isAnyOrigin,
  isChecksum,
  isClearing,
  isEmpty,
  isFixed,
  isHuge,
  isPlainAddress,
  isOwnSecret,
  isWideMode,
  lacksFlags,
  lacksSession,
  listHas,
  looseSources,
  leavesErrorToFramework,
  saysYes,
  showsError,
  turnedOff,
} from '../javascript-facts.js';
import type { RuleDefinition } from '../rule.js';

const LANGUAGES = ['javascript', 'typescript', 'tsx'] as const;

/** Settings and forms that are wrong whatever data comes, in JavaScript and TypeScript. */
export const JAVASCRIPT_FACT_RULES: readonly RuleDefinition[] = [
  {
    id: 'js-weak-cipher',
    class: 'weak-crypto',
    cwe: 327,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'This cipher or mode is broken or shows patterns of what it hides (DES, RC4, Blowfish, ECB), or has no key of its own making. Use aes-256-gcm with createCipheriv and a random nonce for each message.',
    matches: {
      flow: [
        { calls: 'crypto.createCipher crypto.createDecipher', when: () => true },
        {
          calls: 'crypto.createCipheriv crypto.createDecipheriv',
          when: (call: CallFacts) =>
            /(^|-)(des|des3|rc2|rc4|bf|blowfish|cast5?|idea|seed)(-|$)|ecb/i.test(String(call.args[0]?.constant ?? '')),
        },
        {
          calls:
            'crypto-js.DES.encrypt crypto-js.TripleDES.encrypt crypto-js.RC4.encrypt crypto-js.Rabbit.encrypt CryptoJS.DES.encrypt CryptoJS.TripleDES.encrypt CryptoJS.RC4.encrypt',
          when: () => true,
        },
        {
          calls: 'crypto-js.AES.encrypt CryptoJS.AES.encrypt',
          when: (call: CallFacts) => /ECB/.test(argument(call, 'mode')?.ref ?? ''),
        },
        {
          calls: 'node-forge.cipher.createCipher forge.cipher.createCipher node-forge.des.createEncryptionCipher',
          when: (call: CallFacts) => /DES|ECB|RC2/i.test(String(call.args[0]?.constant ?? 'des')),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/327.html'],
    examples: {
      bad: [
        "import crypto from 'node:crypto';\nconst c = crypto.createCipheriv('des-ede3-cbc', key, iv);",
        "const crypto = require('crypto');\nconst c = crypto.createCipher('aes192', 'password');",
        "import { createCipheriv } from 'crypto';\nconst MODE = 'aes-128-ecb';\nexport const f = (key) => createCipheriv(MODE, key, null);",
      ],
      good: [
        "import crypto from 'node:crypto';\nconst c = crypto.createCipheriv('aes-256-gcm', key, iv);",
        "const crypto = require('crypto');\nconst c = crypto.createHmac('sha256', 'a');",
        "import { createCipheriv } from 'crypto';\nconst MODE = 'aes-256-gcm';\nexport const f = (key, iv) => createCipheriv(MODE, key, iv);",
      ],
    },
  },
  {
    id: 'js-fixed-nonce',
    class: 'weak-crypto',
    cwe: 329,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The nonce of this cipher is always the same, so equal messages look equal, and with GCM or CTR the key gives itself away. Make a new one with randomBytes for each message and send it along.',
    matches: {
      flow: [
        { calls: 'crypto.createCipheriv', when: (call: CallFacts) => isFixed(call.args[2]) },
        {
          calls: 'crypto.scrypt crypto.scryptSync crypto.pbkdf2 crypto.pbkdf2Sync',
          when: (call: CallFacts) => isFixed(call.args[1]),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/329.html'],
    examples: {
      bad: [
        "import crypto from 'node:crypto';\nexport const f = (key) => crypto.createCipheriv('aes-256-cbc', key, '1234567890123456');",
        "import crypto from 'node:crypto';\nconst IV = Buffer.alloc(16, 0);\nexport const f = (key) => crypto.createCipheriv('aes-256-gcm', key, IV);",
        "import crypto from 'node:crypto';\nconst iv = Buffer.from('abcdefabcdefabcd');\nfunction seal(key, nonce) { return crypto.createCipheriv('aes-256-ctr', key, nonce); }\nseal(k, iv);",
      ],
      good: [
        "import crypto from 'node:crypto';\nexport const f = (key) => crypto.createCipheriv('aes-256-cbc', key, crypto.randomBytes(16));",
        "import crypto from 'node:crypto';\nexport const f = (key, iv) => crypto.createCipheriv('aes-256-gcm', key, iv);",
        "import crypto from 'node:crypto';\nexport const f = (key) => crypto.createDecipheriv('aes-256-ctr', key, Buffer.alloc(16, 0));",
      ],
    },
  },
  {
    id: 'js-weak-digest',
    class: 'weak-crypto',
    cwe: 328,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'MD5, SHA-1 and older digests can be forged: two files or messages with one digest are made in minutes. Use sha256 or better.',
    matches: {
      flow: [
        {
          calls: 'crypto.createHash crypto.createHmac crypto.createSign crypto.createVerify crypto.hash',
          when: (call: CallFacts) =>
            /^(rsa-)?(md2|md4|md5|sha1|sha-1|sha|ripemd|ripemd160|rmd160)$/i.test(
              String(call.args[0]?.constant ?? ''),
            ) && !isChecksum(call),
        },
        {
          calls:
            'md5 blueimp-md5 js-md5 sha1 js-sha1 crypto-js.MD5 crypto-js.SHA1 CryptoJS.MD5 CryptoJS.SHA1 crypto-js/md5 crypto-js/sha1 md5.default',
          when: (call: CallFacts) => call.args.length > 0 && !isChecksum(call),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/328.html'],
    examples: {
      bad: [
        "import crypto from 'node:crypto';\nexport const f = (x) => crypto.createHash('md5').update(x).digest('hex');",
        "const crypto = require('crypto');\nconst ALG = 'sha1';\nmodule.exports = (x) => crypto.createHmac(ALG, 'k').update(x).digest();",
        "import CryptoJS from 'crypto-js';\nexport const f = (x) => CryptoJS.MD5(x).toString();",
      ],
      good: [
        "import crypto from 'node:crypto';\nexport const f = (x) => crypto.createHash('sha256').update(x).digest('hex');",
        "const crypto = require('crypto');\nconst ALG = 'sha512';\nmodule.exports = (x) => crypto.createHmac(ALG, 'k').update(x).digest();",
        "import crypto from 'node:crypto';\nexport const etag = (x) => crypto.createHash('md5').update(x).digest('hex');",
      ],
    },
  },
  {
    id: 'js-weak-key',
    class: 'weak-crypto',
    cwe: 326,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The key or the work for a password is too small: such keys are broken, and passwords tried by the billion. RSA takes 2048 bits or more, curves 256; PBKDF2 some 600000 rounds, bcrypt 10 or more.',
    matches: {
      flow: [
        {
          calls: 'crypto.generateKeyPair crypto.generateKeyPairSync',
          when: (call: CallFacts) => below(argument(call, 'modulusLength'), 2048),
        },
        {
          calls: 'crypto.pbkdf2 crypto.pbkdf2Sync',
          when: (call: CallFacts) =>
            below(call.args[2], 10_000) || /^(md5|sha1)$/i.test(String(call.args[4]?.constant ?? '')),
        },
        {
          calls:
            'bcrypt.hash bcrypt.hashSync bcryptjs.hash bcryptjs.hashSync bcrypt.genSalt bcrypt.genSaltSync bcryptjs.genSalt bcryptjs.genSaltSync',
          when: (call: CallFacts) => below(/Salt/.test(call.method) ? call.args[0] : call.args[1], 10),
        },
        { calls: 'crypto.createDiffieHellman', when: (call: CallFacts) => below(call.args[0], 2048) },
        {
          calls: 'crypto.getDiffieHellman crypto.createDiffieHellmanGroup',
          when: (call: CallFacts) => /^modp[125]$/.test(String(call.args[0]?.constant ?? '')),
        },
        {
          calls: 'node-forge.pki.rsa.generateKeyPair forge.pki.rsa.generateKeyPair node-rsa',
          when: (call: CallFacts) =>
            below(argument(call, 0, 'bits', 'b'), 2048) || below(argument(call, 'bits', 'b'), 2048),
        },
      ],
    },
    fix: {
      description: 'Make a key of 2048 bits',
      apply: 'long-key',
      safe: 'Only where a new key is made: keys that exist are read as before, and every program that takes 1024 bits takes 2048.',
    },
    references: ['https://cwe.mitre.org/data/definitions/326.html'],
    examples: {
      bad: [
        "import crypto from 'node:crypto';\ncrypto.generateKeyPairSync('rsa', { modulusLength: 1024 });",
        "import crypto from 'node:crypto';\nexport const f = (p, s) => crypto.pbkdf2Sync(p, s, 1000, 32, 'sha256');",
        "const bcrypt = require('bcrypt');\nconst ROUNDS = 4;\nmodule.exports = (p) => bcrypt.hash(p, ROUNDS);",
      ],
      good: [
        "import crypto from 'node:crypto';\ncrypto.generateKeyPairSync('rsa', { modulusLength: 4096 });",
        "import crypto from 'node:crypto';\nexport const f = (p, s) => crypto.pbkdf2Sync(p, s, 600000, 32, 'sha256');",
        "const bcrypt = require('bcrypt');\nconst ROUNDS = 12;\nmodule.exports = (p) => bcrypt.hash(p, ROUNDS);",
      ],
    },
  },
  {
    id: 'js-guessable-value',
    class: 'insecure-random',
    cwe: 338,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Math.random can be predicted from a few of its results. Where the value must not be guessed, take crypto.randomUUID, crypto.randomInt or crypto.randomBytes.',
    matches: {
      flow: [
        { calls: 'crypto.pseudoRandomBytes crypto.rng crypto.prng', when: () => true },
        { calls: 'Math.random', when: (call: CallFacts) => namesGuard(call.frame.fn?.name ?? '') },
        {
          calls: '*.toString',
          when: (call: CallFacts) =>
            call.ref === 'Math.random().toString' && [36, 16].includes(Number(call.args[0]?.constant)) && guards(call),
        },
      ],
    },
    fix: {
      description: 'Take the value from crypto',
      apply: 'random-bytes',
      safe: 'randomBytes is the present name of pseudoRandomBytes; of Math.random only `.toString(36).slice(2)` and `Math.floor(Math.random() * N)` are changed: the same range and alphabet, and nobody can rely on which value comes.',
    },
    references: ['https://cwe.mitre.org/data/definitions/338.html'],
    examples: {
      bad: [
        "import crypto from 'node:crypto';\nconst x = crypto.pseudoRandomBytes(16);",
        "const { pseudoRandomBytes } = require('crypto');\nmodule.exports = () => pseudoRandomBytes(8);",
        'function newToken() { return Math.random().toString(36).slice(2); }',
        'function newToken() { const part = Math.random().toString(36); return part; }\nmodule.exports = newToken;',
      ],
      good: [
        "import crypto from 'node:crypto';\nconst x = crypto.randomBytes(16);",
        "const { randomBytes } = require('crypto');\nmodule.exports = () => randomBytes(8);",
        'function newLabel() { const part = Math.random().toString(36); return part; }\nmodule.exports = newLabel;',
      ],
    },
  },
  {
    id: 'js-jwt-unverified',
    class: 'jwt-misuse',
    cwe: 347,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The signature of this token is not checked, or "none" counts as one, so anybody can write a token that says what they like. Call verify with a fixed list of algorithms.',
    matches: {
      flow: [
        {
          calls:
            'jsonwebtoken.verify jwt.verify express-jwt express-jwt.expressjwt koa-jwt jose.jwtVerify jwt-simple.decode',
          when: (call: CallFacts) =>
            listHas(argument(call, 'algorithms'), /^none$/i) ||
            (call.ref === 'jwt-simple.decode' && call.args[2]?.constant === true) ||
            (/verify$/.test(call.ref) && isEmpty(call.args[1])) ||
            argument(call, 'ignoreExpiration')?.constant === true,
        },
        {
          calls: 'jsonwebtoken.sign jwt.sign jose.SignJWT',
          when: (call: CallFacts) => /^none$/i.test(String(argument(call, 'algorithm')?.constant ?? '')),
        },
        {
          calls: 'jsonwebtoken.decode jwt-decode jwt_decode jwt-decode.jwtDecode jwt-decode.default',
          when: (call: CallFacts) =>
            // Whole, with its header: that says which key it is to be checked with.
            argument(call, 'complete')?.constant !== true &&
            !/\b(verify|jwtVerify)\s*\(/.test(call.frame.module.text) &&
            !/window|document|localStorage|React/.test(call.frame.module.text),
        },
        {
          // What a client sends is believed, though other tokens are checked in this file.
          calls: 'jsonwebtoken.decode jwt-decode jwt-decode.jwtDecode',
          taint: { in: [0], origins: ['remote'] },
          when: (call: CallFacts) => argument(call, 'complete')?.constant !== true,
        },
        {
          calls: 'jose.UnsecuredJWT.decode jose.decodeJwt',
          when: (call: CallFacts) => !/jwtVerify\s*\(/.test(call.frame.module.text),
        },
      ],
    },
    fix: {
      description: 'Refuse tokens without a signature',
      apply: 'algorithms-without-none',
      safe: 'Only "none" goes from a list that has other algorithms: every token with a signature is judged as before, and nobody may rely on one without.',
    },
    references: ['https://cwe.mitre.org/data/definitions/347.html'],
    examples: {
      bad: [
        "const jwt = require('jsonwebtoken');\nmodule.exports = (t) => jwt.verify(t, 'k', { algorithms: ['none', 'HS256'] });",
        "import jwt from 'jsonwebtoken';\nexport const user = (t) => jwt.decode(t).user;",
        "import { sign } from 'jsonwebtoken';\nconst options = { algorithm: 'none' };\nexport const f = (u) => sign(u, null, options);",
      ],
      good: [
        "const jwt = require('jsonwebtoken');\nmodule.exports = (t) => jwt.verify(t, key, { algorithms: ['HS256'] });",
        "import jwt from 'jsonwebtoken';\nexport const user = (t) => { jwt.verify(t, key, { algorithms: ['ES256'] }); return jwt.decode(t).user; };",
        "import { sign } from 'jsonwebtoken';\nconst options = { algorithm: 'RS256' };\nexport const f = (u, k) => sign(u, k, options);",
      ],
    },
  },
  {
    id: 'js-literal-key',
    class: 'hardcoded-secret',
    cwe: 798,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'A key or a password stands in the source, so everybody who sees the repository has it, for as long as its history lives. Revoke it, and read the new one from the environment or a secret store.',
    matches: {
      flow: [
        {
          calls: 'jsonwebtoken.sign jsonwebtoken.verify jwt.sign jwt.verify jwt-simple.encode jwt-simple.decode',
          when: (call: CallFacts) => isOwnSecret(call, call.args[1]),
        },
        {
          calls:
            'crypto.createHmac crypto.createCipheriv crypto.createDecipheriv crypto.createCipher crypto.scryptSync crypto.createSecretKey',
          when: (call: CallFacts) => isOwnSecret(call, call.args[/scrypt|SecretKey/.test(call.method) ? 0 : 1]),
        },
        {
          calls:
            'express-session cookie-session cookie-parser express-jwt express-jwt.expressjwt koa-jwt koa-session iron-session fastify.register client-sessions',
          when: (call: CallFacts) =>
            isOwnSecret(call, argument(call, 'secret', 'keys')) ||
            isOwnSecret(call, argument(call, 'secret', 'keys')?.items?.[0]) ||
            (call.ref === 'cookie-parser' && isOwnSecret(call, call.args[0])),
        },
        {
          calls: 'passport-jwt.Strategy passport-jwt.JwtStrategy',
          when: (call: CallFacts) => isOwnSecret(call, argument(call, 'secretOrKey')),
        },
        {
          calls:
            'mysql.createConnection mysql.createPool mysql2.createConnection mysql2.createPool mysql2.promise.createConnection pg.Client pg.Pool mariadb.createConnection mssql.connect tedious.Connection ioredis redis.createClient ldapjs.createClient nodemailer.createTransport aws-sdk.config.update sequelize sequelize.Sequelize knex typeorm.DataSource oracledb.getConnection',
          when: (call: CallFacts) => hasPassword(call),
        },
        {
          calls: '*.auth *.setPassword *.basicAuth',
          when: (call: CallFacts) =>
            call.args.length >= 2 &&
            isOwnSecret(call, call.args[1]) &&
            /request|agent|superagent|client/i.test(call.ref),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/798.html'],
    examples: {
      bad: [
        "const jwt = require('jsonwebtoken');\nmodule.exports = (u) => jwt.sign(u, 'my-super-secret');",
        "import session from 'express-session';\napp.use(session({ secret: 'keyboard cat', resave: false }));",
        "import mysql from 'mysql2';\nconst PASSWORD = 'hunter2';\nexport const db = mysql.createConnection({ host: 'db', user: 'a', password: PASSWORD });",
      ],
      good: [
        "const jwt = require('jsonwebtoken');\nmodule.exports = (u) => jwt.sign(u, process.env.SECRET);",
        "import session from 'express-session';\nimport { config } from './config.js';\napp.use(session({ secret: config.secret, resave: false }));",
        "import mysql from 'mysql2';\nexport const db = mysql.createConnection({ host: 'db', user: 'a', password: process.env.PASSWORD });",
      ],
    },
  },
  {
    id: 'js-cookie-without-flags',
    class: 'cookie-flags',
    cwe: 614,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'This cookie can be read by scripts or travels unencrypted, so who gets one script into a page, or listens on the way, takes over the session. Set httpOnly and secure, and sameSite.',
    matches: {
      flow: [
        {
          calls: '*.cookie *.setCookie',
          when: (call: CallFacts) =>
            /^RES|reply/.test(call.receiver.ref ?? '') &&
            call.args.length >= 2 &&
            !isClearing(call) &&
            lacksFlags(call.args[2]),
        },
        {
          calls: 'express-session cookie-session client-sessions koa-session',
          when: (call: CallFacts) => lacksSession(call),
        },
        {
          calls: 'next/headers.cookies().set',
          when: (call: CallFacts) => !isClearing(call) && turnedOff(call.args[2]),
        },
        { calls: 'CTX.cookies.set', when: (call: CallFacts) => turnedOff(call.args[2]) },
        { calls: 'cookie.serialize', when: (call: CallFacts) => lacksFlags(call.args[2]) },
        {
          calls: '*.setHeader *.header *.set',
          when: (call: CallFacts) =>
            /^set-cookie$/i.test(String(call.args[0]?.constant ?? '')) && cookieText(call.args[1]),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/614.html'],
    examples: {
      bad: [
        "app.get('/', (req, res) => { res.cookie('session', token); res.end(); });",
        "import session from 'express-session';\nimport { secret } from './c.js';\napp.use(session({ secret, cookie: { secure: false } }));",
        "const options = { httpOnly: false, secure: true };\nexport const f = (req, res) => res.cookie('sid', make(), options);",
      ],
      good: [
        "app.get('/', (req, res) => { res.cookie('session', token, { httpOnly: true, secure: true }); res.end(); });",
        "import session from 'express-session';\nimport { secret } from './c.js';\napp.use(session({ secret, cookie: { secure: true, httpOnly: true } }));",
        "const options = { httpOnly: true, secure: true, sameSite: 'lax' };\nexport const f = (req, res) => res.cookie('sid', make(), options);",
      ],
    },
  },
  {
    id: 'js-cors-any-origin',
    class: 'cors',
    cwe: 942,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Pages of any site may read the answers, with the cookies of whoever looks at them where credentials are allowed. Name the origins that may.',
    matches: {
      flow: [
        {
          calls: 'cors @koa/cors fastify-cors @fastify/cors *.enableCors',
          when: (call: CallFacts) =>
            isAnyOrigin(argument(call, 'origin')) ||
            (call.args.length === 0 && /^cors$/.test(call.ref)) ||
            (call.method === 'enableCors' && call.args.length === 0),
        },
        {
          calls: '*.register',
          when: (call: CallFacts) =>
            /cors/i.test(call.args[0]?.ref ?? '') && isAnyOrigin(call.args[1]?.fields?.get('origin')),
        },
        {
          calls: '*.setHeader *.header *.set *.append *.appendHeader',
          when: (call: CallFacts) =>
            /^access-control-allow-origin$/i.test(String(call.args[0]?.constant ?? '')) &&
            (call.args[1]?.constant === '*' ||
              call.args[1]?.constant === 'null' ||
              call.args[1]?.taint?.origin === 'remote'),
        },
        {
          calls: '*.writeHead',
          when: (call: CallFacts) => call.args.at(-1)?.fields?.get('Access-Control-Allow-Origin')?.constant === '*',
        },
        {
          calls: '*.postMessage',
          when: (call: CallFacts) =>
            call.args[1]?.constant === '*' &&
            !/worker|port|channel|^\??_?(global|globalThis|self)$/i.test(call.receiver.ref ?? ''),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/942.html'],
    examples: {
      bad: [
        "import cors from 'cors';\napp.use(cors({ origin: '*' }));",
        "app.use((req, res, next) => { res.setHeader('Access-Control-Allow-Origin', req.headers.origin); next(); });",
        "const options = { origin: true, credentials: true };\nconst cors = require('cors');\napp.use(cors(options));",
      ],
      good: [
        "import cors from 'cors';\napp.use(cors({ origin: 'https://a.example' }));",
        "const KNOWN = ['https://a.example'];\napp.use((req, res, next) => { if (KNOWN.includes(req.headers.origin)) res.setHeader('Access-Control-Allow-Origin', req.headers.origin); next(); });",
        "const options = { origin: ['https://a.example'], credentials: true };\nconst cors = require('cors');\napp.use(cors(options));",
      ],
    },
  },
  {
    id: 'js-tls-old',
    class: 'weak-crypto',
    cwe: 327,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'This version or these ciphers of TLS are broken: who sits on the way can read what is sent. Take TLSv1.2 or newer, and leave the ciphers to Node.',
    matches: {
      flow: [
        {
          calls: '*.createServer *.request *.get *.connect *.Agent *.createSecureContext *.createSecureServer',
          when: (call: CallFacts) =>
            /^(TLSv1(\.1)?|SSLv[23])$/.test(String(argument(call, 'minVersion', 'maxVersion')?.constant ?? '')) ||
            /^(SSLv[23]|TLSv1(_1)?)(_\w+)?_method$/.test(String(argument(call, 'secureProtocol')?.constant ?? '')) ||
            /(^|:)(RC4|DES|NULL|EXPORT|aNULL|eNULL|MD5)/.test(String(argument(call, 'ciphers')?.constant ?? '')),
        },
        {
          assigns: 'tls.DEFAULT_MIN_VERSION',
          when: (value: Value) => /^TLSv1(\.1)?$/.test(String(value.constant ?? '')),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/327.html'],
    examples: {
      bad: [
        "import https from 'node:https';\nhttps.createServer({ minVersion: 'TLSv1' }, f);",
        "import https from 'node:https';\nconst options = { secureProtocol: 'TLSv1_method' };\nhttps.request(options);",
        "const tls = require('tls');\nconst version = 'TLSv1.1';\ntls.connect({ port: 1, minVersion: version });",
      ],
      good: [
        "import https from 'node:https';\nhttps.createServer({ minVersion: 'TLSv1.2' }, f);",
        "import https from 'node:https';\nconst options = { secureProtocol: 'TLS_method' };\nhttps.request(options);",
        "const tls = require('tls');\nconst version = 'TLSv1.3';\ntls.connect({ port: 1, minVersion: version });",
      ],
    },
  },
  {
    id: 'js-tls-unchecked',
    class: 'tls-verify-off',
    cwe: 295,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The certificate of the other side is not checked, so anybody on the way can read and change what is sent. Leave checking on; give the authority of a private certificate as `ca`.',
    matches: {
      flow: [
        { assigns: '*.rejectUnauthorized *.strictSSL', when: (value: Value) => value.constant === false },
        {
          calls:
            '*.request *.get *.post *.connect *.Agent *.Client *.Pool *.createConnection *.createTransport request *.createClient *.defaults *.create *.Connection',
          when: (call: CallFacts) =>
            [
              argument(call, 'rejectUnauthorized'),
              argument(call, 'strictSSL'),
              argument(call, 'ssl')?.fields?.get('rejectUnauthorized'),
              argument(call, 'tls')?.fields?.get('rejectUnauthorized'),
              argument(call, 'insecure'),
            ].some((one, i) => one?.constant === (i === 4)),
        },
        {
          calls: 'tls.connect https.request https.get https.Agent',
          when: (call: CallFacts) => saysYes(argument(call, 'checkServerIdentity'), call.frame.module.text),
        },
        { calls: '*.setRejectUnauthorized', when: (call: CallFacts) => call.args[0]?.constant === false },
      ],
    },
    fix: {
      description: 'Check the certificate',
      apply: 'reject-unauthorized-true',
      safe: 'A connection to who it should be to works as before; one that anybody can pose as is refused, with an error that names the certificate (a private authority is then named, as the message says). Servers, where it asks clients for certificates, are left to people.',
    },
    references: ['https://cwe.mitre.org/data/definitions/295.html'],
    examples: {
      bad: [
        "import request from 'request';\nrequest.get({ url: 'https://a.example', strictSSL: false });",
        'agent.options.rejectUnauthorized = false;',
        "import { Pool } from 'pg';\nconst ssl = { rejectUnauthorized: false };\nexport const pool = new Pool({ host: 'db', ssl });",
      ],
      good: [
        "import request from 'request';\nrequest.get({ url: 'https://a.example', strictSSL: true });",
        'agent.options.rejectUnauthorized = true;',
        "import { Pool } from 'pg';\nconst ssl = { ca };\nexport const pool = new Pool({ host: 'db', ssl });",
      ],
    },
  },
  {
    id: 'js-cleartext',
    class: 'cleartext',
    cwe: 319,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'What is sent here travels unencrypted, so who sits on the way can read and change it. Use https, wss, ftps, or ssh.',
    matches: {
      flow: [
        {
          calls:
            'fetch axios axios.get axios.post axios.put axios.delete axios.request got request request.get request.post http.get http.request superagent.get superagent.post needle node-fetch node-fetch.default WebSocket ws XMLHttpRequest().open *.open',
          when: (call: CallFacts) =>
            [call.args[0], call.args[1], argument(call, 'url', 'uri')].some((one) => isPlainAddress(one)),
        },
        {
          calls: 'ftp jsftp telnet-client.Telnet telnet-client basic-ftp.Client().access *.createTransport',
          when: (call: CallFacts) =>
            !/createTransport|access/.test(call.method) ||
            (argument(call, 'secure')?.constant === false && call.method === 'access') ||
            argument(call, 'ignoreTLS')?.constant === true,
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/319.html'],
    examples: {
      bad: [
        "await fetch('http://api.shop.com/orders');",
        "import axios from 'axios';\nconst BASE = 'http://pay.shop.com';\nexport const f = (id) => axios.post(`${BASE}/pay/${id}`);",
        "const ws = new WebSocket('ws://live.shop.com/feed');",
      ],
      good: [
        "await fetch('https://api.shop.com/orders');",
        "import axios from 'axios';\nconst BASE = 'http://localhost:3000';\nexport const f = (id) => axios.post(`${BASE}/pay/${id}`);",
        "const ws = new WebSocket('wss://live.shop.com/feed');",
      ],
    },
  },
  {
    id: 'js-bind-all',
    class: 'bind-all',
    cwe: 1327,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'The program listens on every network of the machine. Listen on 127.0.0.1, or on the one address that is meant.',
    matches: {
      flow: [
        {
          calls: '*.listen',
          when: (call: CallFacts) =>
            [...call.args, argument(call, 'host')].some((one) => one?.constant === '0.0.0.0' || one?.constant === '::'),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/1327.html'],
    examples: {
      bad: [
        "app.listen(3000, '0.0.0.0');",
        "const HOST = '0.0.0.0';\nserver.listen(80, HOST);",
        "fastify.listen({ port: 3000, host: '0.0.0.0' });",
      ],
      good: [
        "app.listen(3000, '127.0.0.1');",
        "const HOST = 'localhost';\nserver.listen(80, HOST);",
        'fastify.listen({ port: 3000 });',
      ],
    },
  },
  {
    id: 'js-file-for-all',
    class: 'file-permissions',
    cwe: 732,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'Every user of the machine may write this file or folder, and so change what the program reads or runs. Give 0o600, or 0o700 for folders.',
    matches: {
      flow: [
        {
          calls: 'fs.chmod fs.chmodSync fs.promises.chmod fs.fchmod fs.fchmodSync fs.lchmod',
          when: (call: CallFacts) => isWideMode(call.args[1]),
        },
        {
          calls:
            'fs.writeFile fs.writeFileSync fs.mkdir fs.mkdirSync fs.open fs.openSync fs.createWriteStream fs.promises.writeFile fs.promises.mkdir',
          when: (call: CallFacts) =>
            isWideMode(argument(call, 'mode')) ||
            (/open|mkdir/.test(call.method) && isWideMode(call.args[call.method.startsWith('mkdir') ? 1 : 2])),
        },
        {
          calls: 'process.umask',
          when: (call: CallFacts) =>
            call.args[0]?.constant === 0 || call.args[0]?.constant === '0000' || call.args[0]?.constant === '000',
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/732.html'],
    examples: {
      bad: [
        "import fs from 'node:fs';\nfs.chmodSync('/srv/a', 0o777);",
        "const fs = require('fs');\nconst MODE = '0666';\nfs.chmod('/srv/a', MODE, () => {});",
        "import { writeFileSync } from 'fs';\nwriteFileSync('a', 'x', { mode: 0o777 });",
      ],
      good: [
        "import fs from 'node:fs';\nfs.chmodSync('/srv/a', 0o700);",
        "const fs = require('fs');\nconst MODE = '0600';\nfs.chmod('/srv/a', MODE, () => {});",
        "import { writeFileSync } from 'fs';\nwriteFileSync('a', 'x', { mode: 0o640 });",
      ],
    },
  },
  {
    id: 'js-known-temporary-file',
    class: 'insecure-temp-file',
    cwe: 377,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'The name of this temporary file is known before, so another user of the machine can put a link there and have this program write elsewhere. Use fs.mkdtemp.',
    matches: {
      flow: [
        {
          calls:
            'fs.writeFile fs.writeFileSync fs.createWriteStream fs.appendFile fs.appendFileSync fs.promises.writeFile fs.openSync fs.mkdirSync fs.mkdir',
          when: (call: CallFacts) =>
            /^\/(var\/)?tmp\//.test(call.args[0]?.shape ?? '') && !(call.args[0]?.shape ?? '').includes('\u0000'),
        },
        { calls: 'tmp.tmpNameSync tmp.tmpName', when: () => true },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/377.html'],
    examples: {
      bad: [
        "import fs from 'node:fs';\nfs.writeFileSync('/tmp/report.txt', text);",
        "const fs = require('fs');\nconst FILE = '/tmp/state.json';\nfs.createWriteStream(FILE);",
        "const tmp = require('tmp');\nconst name = tmp.tmpNameSync();",
      ],
      good: [
        "import fs from 'node:fs';\nfs.writeFileSync('report.txt', text);",
        "const fs = require('fs');\nconst FILE = fs.mkdtempSync('/tmp/state-');\nfs.createWriteStream(FILE);",
        "const tmp = require('tmp');\nconst file = tmp.fileSync();",
      ],
    },
  },
  {
    id: 'js-no-limit',
    class: 'resource-limits',
    cwe: 770,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Nothing bounds what a client may send or ask for here, so one client can take all memory or time. Set a limit (`limit`, `fileSize`, `maxBodyLength`, a timeout).',
    matches: {
      flow: [
        { calls: 'multer', when: (call: CallFacts) => argument(call, 'limits') === undefined && !call.open },
        {
          calls: 'formidable formidable.IncomingForm busboy Busboy',
          when: (call: CallFacts) =>
            argument(call, 'limits', 'maxFileSize', 'maxFieldsSize') === undefined && call.args[0]?.open !== true,
        },
        {
          calls:
            'express.json express.urlencoded express.raw express.text body-parser.json body-parser.urlencoded body-parser.raw',
          when: (call: CallFacts) => isHuge(argument(call, 'limit')),
        },
        {
          calls: '*.alloc *.allocUnsafe',
          taint: { in: [0], origins: ['remote'] },
          when: (call: CallFacts) => call.ref.startsWith('Buffer'),
        },
        { calls: 'setTimeout setInterval', taint: { in: [1], origins: ['remote'] } },
        {
          calls: 'axios.create axios.request',
          when: (call: CallFacts) => argument(call, 'maxBodyLength', 'maxContentLength')?.ref === 'Infinity',
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/770.html'],
    examples: {
      bad: [
        "const multer = require('multer');\nconst upload = multer({ dest: 'uploads/' });",
        "import express from 'express';\napp.use(express.json({ limit: '500mb' }));",
        "app.get('/', (req, res) => { setTimeout(() => res.end(), req.query.wait); });",
      ],
      good: [
        "const multer = require('multer');\nconst upload = multer({ dest: 'uploads/', limits: { fileSize: 1e6 } });",
        "import express from 'express';\napp.use(express.json({ limit: '100kb' }));",
        "app.get('/', (req, res) => { setTimeout(() => res.end(), 100); });",
      ],
    },
  },
  {
    id: 'js-headers-off',
    class: 'web-headers',
    cwe: 693,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'A protection of browsers is turned off: against frames of other sites, guessed content types, or scripts from anywhere. Leave what helmet sets, and name what else is allowed.',
    matches: {
      flow: [
        {
          calls: 'helmet helmet.default',
          when: (call: CallFacts) =>
            [
              'contentSecurityPolicy',
              'frameguard',
              'hsts',
              'noSniff',
              'xFrameOptions',
              'strictTransportSecurity',
              'xContentTypeOptions',
              'referrerPolicy',
            ].some((name) => argument(call, name)?.constant === false),
        },
        { calls: 'helmet.contentSecurityPolicy helmet helmet-csp', when: (call: CallFacts) => looseSources(call) },
        {
          calls: '*.setHeader *.header *.set',
          when: (call: CallFacts) =>
            (/^x-frame-options$/i.test(String(call.args[0]?.constant ?? '')) &&
              /^allow/i.test(String(call.args[1]?.constant ?? ''))) ||
            (/^x-xss-protection$/i.test(String(call.args[0]?.constant ?? '')) &&
              /^0/.test(String(call.args[1]?.constant ?? ''))) ||
            (/^content-security-policy$/i.test(String(call.args[0]?.constant ?? '')) &&
              /unsafe-(inline|eval)|default-src \*|script-src \*/.test(String(call.args[1]?.constant ?? ''))) ||
            (/^strict-transport-security$/i.test(String(call.args[0]?.constant ?? '')) &&
              /max-age=0/.test(String(call.args[1]?.constant ?? ''))),
        },
        {
          calls: 'electron.BrowserWindow',
          when: (call: CallFacts) =>
            ['webSecurity', 'contextIsolation'].some(
              (name) => argument(call, 'webPreferences')?.fields?.get(name)?.constant === false,
            ) ||
            ['nodeIntegration', 'allowRunningInsecureContent'].some(
              (name) => argument(call, 'webPreferences')?.fields?.get(name)?.constant === true,
            ),
        },
        {
          attribute: 'target',
          when: (value: Value, tag: string, attributes: ReadonlyMap<string, Value>) =>
            tag === 'a' &&
            value.constant === '_blank' &&
            attributes.has('href') &&
            !attributes.has('rel') &&
            !attributes.has('...') &&
            !/^[/#]/.test(String(attributes.get('href')?.constant ?? '')),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/693.html'],
    examples: {
      bad: [
        "import helmet from 'helmet';\napp.use(helmet({ contentSecurityPolicy: false }));",
        "app.use((req, res, next) => { res.setHeader('X-Frame-Options', 'ALLOWALL'); next(); });",
        "const { BrowserWindow } = require('electron');\nconst webPreferences = { nodeIntegration: true };\nnew BrowserWindow({ webPreferences });",
      ],
      good: [
        "import helmet from 'helmet';\napp.use(helmet());",
        "app.use((req, res, next) => { res.setHeader('X-Frame-Options', 'DENY'); next(); });",
        "const { BrowserWindow } = require('electron');\nconst webPreferences = { nodeIntegration: false };\nnew BrowserWindow({ webPreferences });",
      ],
    },
  },
  {
    id: 'js-error-shown',
    class: 'info-exposure',
    cwe: 209,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'The text or the stack of an error goes to the client and tells how the server is built. Log it, and answer with a short message and a status.',
    matches: {
      flow: [
        {
          calls: '*.send *.json *.end *.write',
          when: (call: CallFacts) =>
            /^RES/.test(call.receiver.ref ?? '') && showsError(call.args[0]) && !leavesErrorToFramework(call),
        },
        {
          calls: 'errorhandler express.errorHandler',
          when: (call: CallFacts) => !/NODE_ENV/.test(call.frame.module.text),
        },
        { calls: 'serve-index', when: () => true },
        {
          calls: 'express.static serve-static',
          when: (call: CallFacts) =>
            argument(call, 'dotfiles')?.constant === 'allow' ||
            call.args[0]?.constant === '/' ||
            call.args[0]?.constant === '.' ||
            call.args[0]?.ref === '__dirname',
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/209.html'],
    examples: {
      bad: [
        "app.get('/', (req, res) => { try { f(); } catch (e) { res.send(e.stack); } });",
        'app.use((err, req, res, next) => { res.status(500).json({ error: err.stack }); });',
        "const index = require('serve-index');\napp.use('/files', index('files'));",
      ],
      good: [
        "app.get('/', (req, res) => { try { f(); } catch (e) { log(e); res.send('failed'); } });",
        "app.use((err, req, res, next) => { res.status(500).json({ error: 'failed' }); });",
        'app.get("/", (request, reply) => { try { f(); } catch (error) { reply.send(error); } });',
        "const express = require('express');\napp.use('/files', express.static('files'));",
      ],
    },
  },
  {
    id: 'js-secret-logged',
    class: 'info-exposure',
    cwe: 532,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'A password or a key is written into the log, where more people and programs see it than should. Leave it out.',
    matches: {
      flow: [
        {
          calls:
            'console.log console.info console.warn console.error console.debug *.info *.warn *.error *.debug *.log',
          when: (call: CallFacts) =>
            /^console|log/i.test(call.ref) && [...call.node.args].some(({ value }) => namesCredential(value)),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/532.html'],
    examples: {
      bad: [
        "console.log('password is', user.password);",
        'export const f = (req) => logger.info(`login ${req.body.password}`);',
        'function show(config) { console.log(config.apiKey); }\nshow(c);',
      ],
      good: [
        "console.log('password is wrong for', user.name);",
        'export const f = (req) => logger.info(`login ${req.body.name}`);',
        'function show(config) { console.log(config.port); }\nshow(c);',
      ],
    },
  },
  {
    id: 'js-graphql-open',
    class: 'debug-enabled',
    cwe: 489,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Introspection, a playground or a debug mode is on, so everybody can read how the interface is built. Turn it on in development alone.',
    matches: {
      flow: [
        {
          calls: '*.ApolloServer apollo-server.ApolloServer express-graphql express-graphql.graphqlHTTP',
          when: (call: CallFacts) =>
            ['introspection', 'playground', 'graphiql', 'debug'].some(
              (name) => argument(call, name)?.constant === true,
            ),
        },
        { calls: '*.openDevTools', when: () => true },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/489.html'],
    examples: {
      bad: [
        "import { ApolloServer } from 'apollo-server';\nnew ApolloServer({ schema, introspection: true });",
        "const { graphqlHTTP } = require('express-graphql');\napp.use('/g', graphqlHTTP({ schema, graphiql: true }));",
        "const options = { typeDefs, playground: true };\nconst { ApolloServer } = require('apollo-server-express');\nnew ApolloServer(options);",
      ],
      good: [
        "import { ApolloServer } from 'apollo-server';\nnew ApolloServer({ schema, introspection: process.env.NODE_ENV !== 'production' });",
        "const { graphqlHTTP } = require('express-graphql');\napp.use('/g', graphqlHTTP({ schema, graphiql: false }));",
        "const options = { typeDefs };\nconst { ApolloServer } = require('apollo-server-express');\nnew ApolloServer(options);",
      ],
    },
  },
  {
    id: 'js-early-out-comparison',
    class: 'timing-attack',
    cwe: 208,
    severity: 'low',
    confidence: 'low',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'This comparison ends at the first wrong character, so its time tells how much of a secret is right. Compare digests with crypto.timingSafeEqual.',
    matches: { flow: [{ expression: 'op', when: (node: Expr) => comparesSecret(node) }] },
    references: ['https://cwe.mitre.org/data/definitions/208.html'],
    examples: {
      bad: [
        'if (password === req.body.password) login();',
        "const ok = req.headers['x-api-key'] === apiKey;",
        'function check(token, secretToken) { return secretToken !== token; }',
      ],
      good: [
        "if (password === '') login();",
        "const ok = typeof apiKey === 'string';",
        'function check(token) { return token === undefined || token.length === 3; }',
      ],
    },
  },
  {
    id: 'js-empty-catch',
    class: 'error-handling',
    cwe: 390,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'The error is swallowed: what failed goes on as if it had worked, and nobody ever learns of it. Handle it, or say in a comment why nothing is to be done.',
    matches: {
      flow: [
        {
          statement: 'try',
          when: (node: Stmt, module: Module) =>
            node.k === 'try' && node.handlers.length > 0 && emptyHandler(node, module),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/390.html'],
    examples: {
      bad: [
        'try { save(); } catch (e) {}',
        'try {\n  f();\n} catch {\n}',
        'async function f() { try { await g(); } catch (error) { } finally { done(); } }',
      ],
      good: [
        'try { save(); } catch (e) { log(e); }',
        'try {\n  f();\n} catch {\n  // It was never there.\n}',
        'async function f() { try { await g(); } finally { done(); } }',
      ],
    },
  },
  {
    id: 'js-prototype-from-keys',
    class: 'prototype-pollution',
    cwe: 1321,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Keys from outside are set on an object one in the other, so the key `__proto__` changes every object of the program. Leave out `__proto__`, `constructor` and `prototype`, or use a Map or Object.create(null).',
    matches: {
      flow: [
        { statement: 'func', when: (node: Stmt, module: Module) => node.k === 'func' && mergesKeys(node.fn, module) },
        { expression: 'func', when: (node: Expr, module: Module) => node.k === 'func' && mergesKeys(node.fn, module) },
        {
          calls:
            'lodash.merge lodash.defaultsDeep lodash.mergeWith _.merge _.defaultsDeep lodash.set _.set lodash.setWith jquery.extend $.extend deepmerge merge-deep deep-extend extend dot-prop.set object-path.set hoek.merge',
          taint: { in: [0, 1, 2], origins: ['remote'], shape: 'any' },
          when: (call: CallFacts) =>
            /set|With/i.test(call.method)
              ? call.args[1]?.taint !== undefined
              : !/extend/.test(call.method) || call.args[0]?.constant === true || !call.ref.includes('$'),
        },
        {
          assigns: '*.[]',
          when: (_value: Value, target: Expr) =>
            target.k === 'index' && target.object.k === 'index' && isRequestKey(target.object.index),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/1321.html'],
    examples: {
      bad: [
        "function merge(a, b) { for (const k in b) { if (typeof b[k] === 'object') merge(a[k], b[k]); else a[k] = b[k]; } return a; }",
        "import _ from 'lodash';\nexport const f = (req, res) => res.json(_.merge({}, req.body));",
        'export const f = (req, res) => { store[req.params.a][req.params.b] = req.body.value; res.end(); };',
      ],
      good: [
        "function merge(a, b) { for (const k in b) { if (k === '__proto__' || k === 'constructor') continue; if (typeof b[k] === 'object') merge(a[k], b[k]); else a[k] = b[k]; } return a; }",
        "import _ from 'lodash';\nexport const f = (req, res) => res.json(_.pick(req.body, ['a']));",
        'export const f = (req, res) => { store[req.params.a] = req.body.value; res.end(); };',
      ],
    },
  },
  {
    id: 'js-slow-pattern',
    class: 'regex-dos',
    cwe: 1333,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Some short texts keep this expression busy for minutes, because it can match the same characters in many ways, and this process answers nobody meanwhile. Make the parts that repeat exclude each other.',
    matches: {
      flow: [
        { expression: 'regex', when: (node: Expr) => node.k === 'regex' && isSlowPattern(node.pattern) },
        {
          calls: 'RegExp',
          when: (call: CallFacts) => typeof call.args[0]?.constant === 'string' && isSlowPattern(call.args[0].constant),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/1333.html'],
    examples: {
      bad: [
        'const r = /^(a+)+$/;',
        'export const f = (x) => /^([a-z0-9]+\\s?)*$/.test(x);',
        "const r = new RegExp('(\\\\w+\\\\s*)*!');",
      ],
      good: [
        'const r = /^(ab+)+$/;',
        'export const f = (x) => /^([a-z0-9]+\\s)*$/.test(x);',
        "const r = new RegExp('(\\\\w+\\\\s+)*!');",
      ],
    },
  },
  {
    id: 'js-promise-dropped',
    class: 'unhandled-promise',
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'Nobody waits for this promise and nobody hears when it fails: an unhandled rejection ends the process. Await it, or add a catch.',
    matches: {
      flow: [
        { statement: 'expr', when: (node: Stmt, module: Module) => dropsPromise(node, module) },
        { expression: 'call', when: (node: Expr) => dropsEach(node) },
      ],
    },
    references: ['https://nodejs.org/api/process.html#event-unhandledrejection'],
    examples: {
      bad: [
        'async function save() { await f(); }\nfunction g() { save(); }',
        "fetch('/a').then((r) => r.json());",
        "const load = async () => { throw new Error('x'); };\nexport function run() { load(); }",
      ],
      good: [
        'async function save() { await f(); }\nasync function g() { await save(); }',
        "fetch('/a').then((r) => r.json()).catch(report);",
        'class Token { constructor() { this.gone = new Promise((resolve) => { this.end = resolve; }); this.gone.then(() => this.tell()); } }',
        "const load = async () => { throw new Error('x'); };\nexport function run() { void load(); }",
      ],
    },
  },
  {
    id: 'js-csrf-off',
    class: 'csrf',
    cwe: 352,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The protection against requests that other sites make in the name of whoever is logged in is turned off or bypassed. Leave it on, or use cookies with sameSite and check the origin.',
    matches: {
      flow: [
        {
          calls: 'csurf lusca lusca.csrf csrf',
          when: (call: CallFacts) =>
            listHas(argument(call, 'ignoreMethods'), /^(POST|PUT|DELETE|PATCH)$/i) ||
            argument(call, 'csrf')?.constant === false ||
            (argument(call, 'value')?.closures !== undefined && argument(call, 'ignoreMethods') !== undefined),
        },
        {
          calls: 'method-override',
          when: (call: CallFacts) =>
            /csurf|csrf/.test(call.frame.module.text.slice(0, call.node.start)) &&
            /use\([^)]*csrf/i.test(call.frame.module.text.slice(0, call.node.start)),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/352.html'],
    examples: {
      bad: [
        "const csurf = require('csurf');\napp.use(csurf({ cookie: true, ignoreMethods: ['GET', 'POST'] }));",
        "import lusca from 'lusca';\napp.use(lusca({ csrf: false }));",
        "const csrf = require('csurf');\napp.use(csrf());\napp.use(require('method-override')());",
      ],
      good: [
        "const csurf = require('csurf');\napp.use(csurf({ cookie: true }));",
        "import lusca from 'lusca';\napp.use(lusca({ csrf: true }));",
        "const csrf = require('csurf');\napp.use(require('method-override')());\napp.use(csrf());",
      ],
    },
  },
  {
    id: 'js-unchecked-message',
    class: 'auth',
    cwe: 287,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Messages of any window are acted on: the origin of the sender is not looked at. Compare event.origin with the origin that is meant.',
    matches: {
      flow: [
        {
          calls: 'addEventListener window.addEventListener self.addEventListener',
          when: (call: CallFacts) =>
            call.args[0]?.constant === 'message' &&
            call.args[1]?.closures !== undefined &&
            !/origin/.test(
              call.frame.module.text.slice(call.args[1].closures[0]?.fn.start, call.args[1].closures[0]?.fn.end),
            ) &&
            /\.data\b/.test(
              call.frame.module.text.slice(call.args[1].closures[0]?.fn.start, call.args[1].closures[0]?.fn.end),
            ) &&
            !/importScripts|WorkerGlobalScope/.test(call.frame.module.text),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/287.html'],
    examples: {
      bad: [
        "window.addEventListener('message', (e) => { run(e.data); });",
        "addEventListener('message', function (event) { store(event.data.value); });",
        "function on(e) { act(e.data); }\nwindow.addEventListener('message', on);",
      ],
      good: [
        "window.addEventListener('message', (e) => { if (e.origin !== 'https://a.example') return; run(e.data); });",
        "addEventListener('message', function (event) { if (event.origin === location.origin) store(event.data.value); });",
        "function on(e) { if (e.origin === HOME) act(e.data); }\nwindow.addEventListener('message', on);",
      ],
    },
  },
  {
    id: 'js-session-from-request',
    class: 'trust-boundary',
    cwe: 501,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Data of a client goes into the session as it is, and later code takes the session for something that was checked. Check it first.',
    matches: {
      flow: [
        {
          assigns: 'REQ.session.[]',
          when: (_value: Value, target: Expr) => target.k === 'index' && isRequestKey(target.index),
        },
        {
          assigns:
            'REQ.session.admin REQ.session.role REQ.session.isAdmin REQ.session.user REQ.session.userId REQ.session.authenticated',
          taint: { origins: ['remote'] },
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/501.html'],
    examples: {
      bad: [
        "app.post('/', (req, res) => { req.session.role = req.body.role; res.end(); });",
        'export const f = (req, res) => { const { isAdmin } = req.body; req.session.isAdmin = isAdmin; };',
        "app.post('/', (req, res) => { req.session[req.body.key] = 1; res.end(); });",
      ],
      good: [
        "app.post('/', (req, res) => { req.session.role = 'user'; res.end(); });",
        'export const f = (req, res) => { const { isAdmin } = find(1); req.session.isAdmin = isAdmin; };',
        "app.post('/', (req, res) => { req.session.count = 1; res.end(); });",
      ],
    },
  },
  {
    id: 'js-obvious-mistake',
    class: 'bug',
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'This does not do what it looks like: both sides are the same, a comparison with NaN is never true, an assignment stands where a comparison is meant, or a duplicate key hides another one.',
    matches: {
      flow: [
        { expression: 'op', when: (node: Expr, module: Module) => isPointless(node, module) },
        {
          statement: 'if',
          when: (node: Stmt) =>
            node.k === 'if' && node.test.k === 'assign' && node.test.op === '=' && node.test.value.k === 'const',
        },
        {
          expression: 'object',
          when: (node: Expr, _module: Module, parents: readonly (Expr | Stmt)[]) =>
            node.k === 'object' && hasTwin(node) && !isTarget(node, parents.at(-1)),
        },
      ],
    },
    references: ['https://eslint.org/docs/latest/rules/no-self-compare'],
    examples: {
      bad: [
        'if (a.b === a.b) f();',
        'if (x === NaN) f();',
        "if (mode = 'fast') f();",
        'const o = { a: 1, b: 2, a: 3 };\nf(o);',
      ],
      good: [
        'if (a.b === a.c) f();',
        'if (Number.isNaN(x)) f();',
        "if (mode === 'fast') f();",
        'const o = { a: 1, b: 2, c: 3 };\nf(o);',
      ],
    },
  },
];
