import type { CallFacts } from '../../flow/engine.js';
import type { Expr, Module, Stmt } from '../../flow/ir.js';
import type { Value } from '../../flow/value.js';
import { argument } from '../flow-match.js';
import {
  comparesInTime,
  dropsError,
  functionText,
  guards,
  isChecksum,
  isServerError,
  isWritable,
  lacksFlags,
  startsWith,
  tellsError,
} from '../go-facts.js';
import { literalPassword } from '../python-facts.js';
import type { RuleDefinition } from '../rule.js';

const LANGUAGES = ['go'] as const;
const file = (imports: string, body: string): string =>
  `package main\n\nimport (\n${imports
    .split(' ')
    .map((one) => `\t"${one}"`)
    .join('\n')}\n)\n\n${body}\n`;
const isLow = (call: CallFacts, key: number, least: number): boolean => {
  const value = call.args[key]?.constant;
  return typeof value === 'number' && value < least;
};

/** What single calls, settings and statements of Go say by themselves. */
export const GO_FACT_RULES: readonly RuleDefinition[] = [
  {
    id: 'go-broken-hash',
    class: 'weak-crypto',
    cwe: 328,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'MD5 and SHA-1 can be made to collide, and are far too fast for passwords. Use sha256 for digests, hmac with sha256 for signatures, and bcrypt, scrypt or argon2 for passwords.',
    matches: {
      flow: [
        {
          calls:
            'crypto/md5.New crypto/md5.Sum crypto/sha1.New crypto/sha1.Sum golang.org/x/crypto/md4.New golang.org/x/crypto/ripemd160.New',
          when: (call: CallFacts) => !isChecksum(call),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/328.html'],
    examples: {
      bad: [
        file('crypto/md5', 'func hash(p string) [16]byte { return md5.Sum([]byte(p)) }'),
        file('crypto/sha1', 'func sign(b []byte) []byte {\n\th := sha1.New()\n\th.Write(b)\n\treturn h.Sum(nil)\n}'),
        file('golang.org/x/crypto/md4', 'func sign(b []byte) {\n\tmd4.New().Write(b)\n}'),
      ],
      good: [
        file('crypto/sha256', 'func hash(p string) [32]byte { return sha256.Sum256([]byte(p)) }'),
        file('crypto/sha1', 'func etag(b []byte) []byte {\n\th := sha1.New()\n\th.Write(b)\n\treturn h.Sum(nil)\n}'),
        file('crypto/md5', 'func contentHash(b []byte) [16]byte { return md5.Sum(b) }'),
      ],
    },
  },
  {
    id: 'go-broken-cipher',
    class: 'weak-crypto',
    cwe: 327,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'What is encrypted this way can be read by others: DES and RC4 are broken, keys are too short, or the start value is the same every time. Use AES-GCM with a fresh nonce (cipher.NewGCM), RSA of at least 2048 bits, bcrypt of cost 10 or more.',
    matches: {
      flow: [
        {
          calls:
            'crypto/des.NewCipher crypto/des.NewTripleDESCipher crypto/rc4.NewCipher golang.org/x/crypto/blowfish.NewCipher golang.org/x/crypto/tea.NewCipher',
        },
        { calls: 'crypto/rsa.GenerateKey', when: (call: CallFacts) => isLow(call, 1, 2048) },
        {
          calls: 'golang.org/x/crypto/bcrypt.GenerateFromPassword',
          when: (call: CallFacts) => isLow(call, 1, 10) && !isLow(call, 1, 1),
        },
        {
          calls: 'golang.org/x/crypto/pbkdf2.Key crypto/pbkdf2.Key',
          when: (call: CallFacts) => isLow(call, 2, 10_000),
        },
        {
          calls:
            'crypto/cipher.NewCBCEncrypter crypto/cipher.NewCTR crypto/cipher.NewCFBEncrypter crypto/cipher.NewOFB',
          when: (call: CallFacts) => typeof call.args[1]?.constant === 'string',
        },
        {
          calls: '*.Seal',
          when: (call: CallFacts) => typeof call.args[1]?.constant === 'string' && call.args.length === 4,
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Cryptographic_Storage_Cheat_Sheet.html'],
    examples: {
      bad: [
        file('crypto/des', 'func f(k []byte) {\n\tdes.NewCipher(k)\n}'),
        file('crypto/rand crypto/rsa', 'func f() {\n\trsa.GenerateKey(rand.Reader, 1024)\n}'),
        file('crypto/cipher', 'func f(b cipher.Block) {\n\tcipher.NewCBCEncrypter(b, []byte("0123456789abcdef"))\n}'),
      ],
      good: [
        file('crypto/aes', 'func f(k []byte) {\n\taes.NewCipher(k)\n}'),
        file('crypto/rand crypto/rsa', 'func f() {\n\trsa.GenerateKey(rand.Reader, 3072)\n}'),
        file('crypto/cipher', 'func f(b cipher.Block, iv []byte) {\n\tcipher.NewCBCEncrypter(b, iv)\n}'),
      ],
    },
  },
  {
    id: 'go-guessable-random',
    class: 'insecure-random',
    cwe: 338,
    severity: 'high',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Numbers of math/rand can be computed from a few others, so what they guard can be guessed. Use crypto/rand.',
    matches: {
      flow: [
        {
          calls:
            'math/rand.Int math/rand.Intn math/rand.Int31 math/rand.Int31n math/rand.Int63 math/rand.Int63n math/rand.Uint32 math/rand.Uint64 math/rand.Read math/rand.Float64 math/rand.Perm math/rand/v2.Int math/rand/v2.IntN math/rand/v2.Uint32 math/rand/v2.Uint64 math/rand/v2.Int64 math/rand/v2.N',
          when: guards,
        },
        {
          calls: '*.Intn *.Int63 *.Uint32 *.Uint64 *.Int31n *.Read',
          when: (call: CallFacts) => /^math\/rand\.New\(\)/.test(call.receiver.ref ?? '') && guards(call),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/338.html'],
    examples: {
      bad: [
        file('math/rand', 'func token() int { return rand.Int() }'),
        file('math/rand', 'func f() {\n\tpassword := rand.Int63()\n\tuse(password)\n}'),
        file(
          'math/rand time',
          'func newSession() uint32 {\n\tr := rand.New(rand.NewSource(time.Now().Unix()))\n\treturn r.Uint32()\n}',
        ),
      ],
      good: [
        file('math/rand', 'func dice() int { return rand.Intn(6) }'),
        file('crypto/rand', 'func f() {\n\tpassword := make([]byte, 16)\n\trand.Read(password)\n}'),
        file('math/rand', 'func jitter() uint32 {\n\treturn rand.Uint32()\n}'),
      ],
    },
  },
  {
    id: 'go-tls-unverified',
    class: 'tls-verify-off',
    cwe: 295,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Nobody checks who is on the other end, so anybody on the way reads and changes what is sent. Leave verification on, and give RootCAs (or a known host key) for what no public authority has signed.',
    matches: {
      flow: [
        {
          calls: 'crypto/tls.Config',
          when: (call: CallFacts) =>
            call.named.get('InsecureSkipVerify')?.constant === true &&
            !call.named.has('VerifyConnection') &&
            !call.named.has('VerifyPeerCertificate'),
        },
        { assigns: '*.InsecureSkipVerify', when: (value: Value) => value.constant === true },
        { calls: 'golang.org/x/crypto/ssh.InsecureIgnoreHostKey' },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/295.html'],
    examples: {
      bad: [
        file('crypto/tls', 'var c = &tls.Config{InsecureSkipVerify: true}'),
        file('crypto/tls', 'func f(c *tls.Config) {\n\tc.InsecureSkipVerify = true\n}'),
        file('golang.org/x/crypto/ssh', 'var c = ssh.ClientConfig{HostKeyCallback: ssh.InsecureIgnoreHostKey()}'),
      ],
      good: [
        file('crypto/tls', 'var c = &tls.Config{InsecureSkipVerify: false}'),
        file('crypto/tls', 'func f(c *tls.Config) {\n\tc.ServerName = "a"\n}'),
        file(
          'golang.org/x/crypto/ssh',
          'func f(k ssh.PublicKey) ssh.ClientConfig {\n\treturn ssh.ClientConfig{HostKeyCallback: ssh.FixedHostKey(k)}\n}',
        ),
      ],
    },
  },
  {
    id: 'go-old-tls',
    class: 'weak-crypto',
    cwe: 327,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'TLS 1.0 and 1.1, SSL 3 and ciphers with RC4 or 3DES can be broken. Ask for TLS 1.2 or 1.3, and leave the ciphers to the library.',
    matches: {
      flow: [
        {
          calls: 'crypto/tls.Config',
          when: (call: CallFacts) =>
            ['MinVersion', 'MaxVersion'].some((key) =>
              /VersionTLS1[01]$|VersionSSL30$/.test(call.named.get(key)?.ref ?? ''),
            ) || (call.named.get('CipherSuites')?.items ?? []).some((one) => /_RC4_|_3DES_/.test(one.ref ?? '')),
        },
        {
          assigns: '*.MinVersion *.MaxVersion',
          when: (value: Value) => /tls\.Version(TLS1[01]|SSL30)$/.test(value.ref ?? ''),
        },
      ],
    },
    references: ['https://www.rfc-editor.org/rfc/rfc8996'],
    examples: {
      bad: [
        file('crypto/tls', 'var c = &tls.Config{MinVersion: tls.VersionTLS10}'),
        file('crypto/tls', 'func f(c *tls.Config) {\n\tc.MinVersion = tls.VersionSSL30\n}'),
        file('crypto/tls', 'var c = &tls.Config{CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}}'),
      ],
      good: [
        file('crypto/tls', 'var c = &tls.Config{MinVersion: tls.VersionTLS12}'),
        file('crypto/tls', 'func f(c *tls.Config) {\n\tc.MinVersion = tls.VersionTLS13\n}'),
        file('crypto/tls', 'var c = &tls.Config{CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}}'),
      ],
    },
  },
  {
    id: 'go-literal-password',
    class: 'hardcoded-secret',
    cwe: 798,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'A credential stands in this file, so everybody who sees the repository has it, for as long as its history lives. Revoke it, and read the new one from the environment or a secret store.',
    matches: {
      flow: [
        { expression: 'assign', when: (node: Expr) => node.k === 'assign' && literalPassword(node.target, node.value) },
        {
          expression: 'op',
          when: (node: Expr) =>
            node.k === 'op' &&
            /^[!=]=$/.test(node.op) &&
            node.operands.length === 2 &&
            literalPassword(node.operands[0], node.operands[1]),
        },
        {
          expression: 'call',
          when: (node: Expr) => {
            const found =
              node.k === 'call'
                ? node.args.find(
                    ({ name, value }) =>
                      name !== undefined && literalPassword({ k: 'name', name, start: 0, end: 0 }, value),
                  )
                : undefined;
            return found ? { start: found.value.start, end: found.value.end } : false;
          },
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html'],
    examples: {
      bad: [
        'package main\n\nvar password = "hunter2"\n',
        'package main\n\nvar c = Config{User: "a", Password: "hunter2"}\n',
        'package main\n\nfunc f(u User) bool {\n\treturn u.Password == "letmein9"\n}\n',
      ],
      good: [
        'package main\n\nvar password = ""\n',
        'package main\n\nvar c = Config{User: "a", Password: os.Getenv("P")}\n',
        'package main\n\nfunc f(u User) bool {\n\treturn u.Password == ""\n}\n',
      ],
    },
  },
  {
    id: 'go-open-mode',
    class: 'file-permissions',
    cwe: 732,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Other users of the machine may write this file or folder, and so change what the program reads or runs. Give 0600 for files and 0750 for folders.',
    matches: {
      flow: [
        { calls: 'os.Chmod os.Mkdir os.MkdirAll', when: (call: CallFacts) => isWritable(call.args[1]) },
        { calls: 'os.OpenFile os.WriteFile io/ioutil.WriteFile', when: (call: CallFacts) => isWritable(call.args[2]) },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/732.html'],
    examples: {
      bad: [
        file('os', 'func f() {\n\t_ = os.MkdirAll("a", 0777)\n}'),
        file('os', 'const mode = 0o666\n\nfunc f(b []byte) error {\n\treturn os.WriteFile("a", b, mode)\n}'),
        file('os', 'func f() error {\n\treturn os.Chmod("a", 0o777)\n}'),
      ],
      good: [
        file('os', 'func f() {\n\t_ = os.MkdirAll("a", 0750)\n}'),
        file('os', 'const mode = 0o600\n\nfunc f(b []byte) error {\n\treturn os.WriteFile("a", b, mode)\n}'),
        file('os', 'func f() error {\n\treturn os.Chmod("a", 0o644)\n}'),
      ],
    },
  },
  {
    id: 'go-shared-temp-file',
    class: 'insecure-temp-file',
    cwe: 377,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Everybody may write to this folder and knows the name, so another user can put a link there before, and have another file overwritten or read. Use os.CreateTemp or os.MkdirTemp.',
    matches: {
      flow: [
        {
          calls: 'os.Create os.WriteFile os.OpenFile io/ioutil.WriteFile',
          when: (call: CallFacts) => startsWith(call.args[0], /^\/(var\/)?tmp\/[^\u0001]/),
        },
        {
          calls: 'os.Create os.WriteFile os.OpenFile io/ioutil.WriteFile',
          when: (call: CallFacts) =>
            /os\.TempDir\(\)\s*(\+|,\s*")/.test(call.frame.module.text.slice(call.node.start, call.node.end)),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/377.html'],
    examples: {
      bad: [
        file('os', 'func f(b []byte) error {\n\treturn os.WriteFile("/tmp/a.txt", b, 0600)\n}'),
        file('os', 'const folder = "/var/tmp"\n\nfunc f() {\n\tos.Create(folder + "/a")\n}'),
        file('os path/filepath', 'func f() {\n\tos.Create(filepath.Join(os.TempDir(), "a.lock"))\n}'),
      ],
      good: [
        file('os', 'func f(b []byte) error {\n\treturn os.WriteFile("/var/lib/a.txt", b, 0600)\n}'),
        file('os', 'const folder = "/var/lib"\n\nfunc f() {\n\tos.Create(folder + "/a")\n}'),
        file('os', 'func f() {\n\tos.CreateTemp(os.TempDir(), "a")\n}'),
      ],
    },
  },
  {
    id: 'go-listens-everywhere',
    class: 'bind-all',
    cwe: 1327,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'The port is open on every network of the machine. Listen on the one that is meant, or on 127.0.0.1 behind a proxy; make the address a setting.',
    matches: {
      flow: [
        {
          calls: 'net.Listen crypto/tls.Listen net.ListenPacket',
          when: (call: CallFacts) =>
            startsWith(call.args[1], /^(0\.0\.0\.0|\[::\])?:/) &&
            /^(tcp|udp)/.test(String(call.args[0]?.constant)) &&
            call.args[1]?.constant !== ':0',
        },
        {
          calls: 'net/http.ListenAndServe net/http.ListenAndServeTLS',
          when: (call: CallFacts) => startsWith(call.args[0], /^(0\.0\.0\.0|\[::\]):/),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/1327.html'],
    examples: {
      bad: [
        file('net', 'func f() {\n\tnet.Listen("tcp", "0.0.0.0:80")\n}'),
        file('net', 'const address = ":2000"\n\nfunc f() {\n\tnet.Listen("tcp", address)\n}'),
        file('net/http', 'func f() error {\n\treturn http.ListenAndServe("0.0.0.0:80", nil)\n}'),
      ],
      good: [
        file('net', 'func f() {\n\tnet.Listen("tcp", "127.0.0.1:80")\n}'),
        file('net', 'const address = "localhost:2000"\n\nfunc f() {\n\tnet.Listen("tcp", address)\n}'),
        file('net', 'func f(address string) {\n\tnet.Listen("tcp", address)\n}'),
      ],
    },
  },
  {
    id: 'go-server-without-timeouts',
    class: 'resource-limits',
    cwe: 400,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A client that sends its request one byte a minute holds a connection for ever, and a few hundred of them stop the server. Use an http.Server with ReadHeaderTimeout (better ReadTimeout, WriteTimeout and IdleTimeout as well).',
    matches: {
      flow: [
        {
          calls: 'net/http.Server',
          when: (call: CallFacts) =>
            call.node.isNew &&
            !call.named.has('ReadHeaderTimeout') &&
            !call.named.has('ReadTimeout') &&
            !/\.Read(Header)?Timeout\s*=/.test(functionText(call)) &&
            call.named.size > 0,
        },
        { calls: 'net/http.ListenAndServe net/http.ListenAndServeTLS net/http.Serve net/http.ServeTLS' },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/400.html'],
    examples: {
      bad: [
        file('net/http', 'var s = &http.Server{Addr: "a:80"}'),
        file('net/http', 'func f() error {\n\treturn http.ListenAndServe("a:80", nil)\n}'),
        file(
          'net/http',
          'func f(h http.Handler) {\n\ts := http.Server{Addr: "a:80", Handler: h, IdleTimeout: 5}\n\ts.ListenAndServe()\n}',
        ),
      ],
      good: [
        file('net/http', 'var s = &http.Server{Addr: "a:80", ReadHeaderTimeout: 5}'),
        file('net/http', 'func f(s *http.Server) error {\n\treturn s.ListenAndServe()\n}'),
        file(
          'net/http',
          'func f(h http.Handler) {\n\ts := http.Server{Addr: "a:80", Handler: h}\n\ts.ReadTimeout = 5\n\ts.ListenAndServe()\n}',
        ),
      ],
    },
  },
  {
    id: 'go-decompression-bomb',
    class: 'path-traversal',
    cwe: 409,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'A few kilobytes can unpack to so much that memory or disk are full. Copy at most what you are ready for: io.CopyN or io.LimitReader.',
    matches: {
      flow: [
        {
          calls: 'io.Copy io.CopyBuffer io.ReadAll io/ioutil.ReadAll',
          when: (call: CallFacts) =>
            /^compress\/(gzip|zlib|bzip2|flate|lzw)\.New|^archive\/tar\.Reader$|^archive\/zip\.(Reader\.)?File(\.\[\])?\.Open\(\)/.test(
              call.args[call.method.startsWith('Copy') ? 1 : 0]?.ref ?? '',
            ),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/409.html'],
    examples: {
      bad: [
        file('compress/gzip io', 'func f(r io.Reader, w io.Writer) {\n\tz, _ := gzip.NewReader(r)\n\tio.Copy(w, z)\n}'),
        file(
          'archive/tar io',
          'func f(r io.Reader, w io.Writer) {\n\tt := tar.NewReader(r)\n\tt.Next()\n\tio.Copy(w, t)\n}',
        ),
        file('archive/zip io', 'func f(e *zip.File) {\n\tr, _ := e.Open()\n\tio.ReadAll(r)\n}'),
      ],
      good: [
        file(
          'compress/gzip io',
          'func f(r io.Reader, w io.Writer) {\n\tz, _ := gzip.NewReader(r)\n\tio.CopyN(w, z, 1<<20)\n}',
        ),
        file(
          'archive/tar io',
          'func f(r io.Reader, w io.Writer) {\n\tt := tar.NewReader(r)\n\tt.Next()\n\tio.Copy(w, io.LimitReader(t, 1<<20))\n}',
        ),
        file('os io', 'func f(w io.Writer) {\n\tr, _ := os.Open("a")\n\tio.Copy(w, r)\n}'),
      ],
    },
  },
  {
    id: 'go-cookie-flags',
    class: 'cookie-flags',
    cwe: 614,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'A script of the page can read this cookie, or it is sent without encryption. Set HttpOnly and Secure (and SameSite).',
    matches: {
      flow: [
        { calls: 'net/http.Cookie', when: (call: CallFacts) => call.node.isNew && lacksFlags(call) },
        {
          calls: 'GIN.SetCookie',
          when: (call: CallFacts) =>
            (call.args[5]?.constant === false || call.args[6]?.constant === false) &&
            !(typeof call.args[2]?.constant === 'number' && call.args[2].constant < 0),
        },
        {
          calls: 'FIBER.Cookie github.com/gofiber/fiber.Cookie',
          when: (call: CallFacts) =>
            call.node.isNew &&
            (call.named.get('HTTPOnly')?.constant !== true || call.named.get('Secure')?.constant !== true) &&
            call.named.has('Value'),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html'],
    examples: {
      bad: [
        file('net/http', 'var c = &http.Cookie{Name: "sid", Value: "1"}'),
        file(
          'net/http',
          'func f(w http.ResponseWriter, id string) {\n\tc := http.Cookie{Name: "sid", Value: id, Secure: true}\n\thttp.SetCookie(w, &c)\n}',
        ),
        file(
          'github.com/gin-gonic/gin',
          'func f(c *gin.Context) {\n\tc.SetCookie("sid", "1", 60, "/", "", false, true)\n}',
        ),
      ],
      good: [
        file('net/http', 'var c = &http.Cookie{Name: "sid", Value: "1", HttpOnly: true, Secure: true}'),
        file(
          'net/http',
          'func f(w http.ResponseWriter, id string) {\n\tc := http.Cookie{Name: "sid", Value: id, Secure: true}\n\tc.HttpOnly = true\n\thttp.SetCookie(w, &c)\n}',
        ),
        file(
          'github.com/gin-gonic/gin',
          'func f(c *gin.Context) {\n\tc.SetCookie("sid", "1", 60, "/", "", true, true)\n}',
        ),
      ],
    },
  },
  {
    id: 'go-cors-any-origin',
    class: 'cors',
    cwe: 942,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Every page on the web may read answers with the cookies of whoever looks at it. Name the origins that may.',
    matches: {
      flow: [
        {
          calls: '*.Set *.Add *.Header',
          when: (call: CallFacts) => {
            const at = call.args.findIndex((one) => /^access-control-allow-origin$/i.test(String(one.constant)));
            const value = at < 0 ? undefined : call.args[at + 1];
            return (
              value !== undefined &&
              (value.constant === '*' || value.taint?.origin === 'remote') &&
              /allow-credentials["\s,]*"true"/i.test(functionText(call))
            );
          },
        },
        {
          calls:
            'github.com/rs/cors.Options github.com/go-chi/cors.Options github.com/gin-contrib/cors.Config github.com/gofiber/fiber/middleware/cors.Config github.com/gofiber/fiber/v2/middleware/cors.Config github.com/labstack/echo/v4/middleware.CORSConfig',
          when: (call: CallFacts) => {
            const origins = argument(call, 'AllowedOrigins', 'AllowOrigins');
            const any =
              call.named.get('AllowAllOrigins')?.constant === true ||
              origins?.constant === '*' ||
              origins?.items?.some((one) => one.constant === '*') === true;
            return any && call.named.get('AllowCredentials')?.constant === true;
          },
        },
      ],
    },
    references: ['https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS'],
    examples: {
      bad: [
        file(
          'net/http',
          'func f(w http.ResponseWriter, r *http.Request) {\n\tw.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))\n\tw.Header().Set("Access-Control-Allow-Credentials", "true")\n}',
        ),
        file(
          'github.com/rs/cors',
          'var c = cors.New(cors.Options{AllowedOrigins: []string{"*"}, AllowCredentials: true})',
        ),
        file('github.com/gin-contrib/cors', 'var c = cors.Config{AllowAllOrigins: true, AllowCredentials: true}'),
      ],
      good: [
        file(
          'net/http',
          'func f(w http.ResponseWriter, r *http.Request) {\n\tw.Header().Set("Access-Control-Allow-Origin", "https://a.example.org")\n\tw.Header().Set("Access-Control-Allow-Credentials", "true")\n}',
        ),
        file(
          'github.com/rs/cors',
          'var c = cors.New(cors.Options{AllowedOrigins: []string{"https://a.example.org"}, AllowCredentials: true})',
        ),
        file('github.com/gin-contrib/cors', 'var c = cors.Config{AllowAllOrigins: true, AllowCredentials: false}'),
      ],
    },
  },
  {
    id: 'go-secret-compared',
    class: 'timing-attack',
    cwe: 208,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'The comparison ends at the first character that differs, so its time tells how much of the secret was right. Use hmac.Equal or subtle.ConstantTimeCompare.',
    matches: { flow: [{ expression: 'op', when: (node: Expr) => comparesInTime(node) }] },
    references: ['https://pkg.go.dev/crypto/subtle'],
    examples: {
      bad: [
        'package main\n\nfunc f(signature, expected string) bool { return signature == expected }\n',
        'package main\n\nfunc f(a, b User) bool { return a.Password != b.Given }\n',
        file('net/http', 'func f(r *http.Request, token string) bool {\n\treturn r.Header.Get("X-Token") == token\n}'),
      ],
      good: [
        file('crypto/hmac', 'func f(signature, expected []byte) bool { return hmac.Equal(signature, expected) }'),
        'package main\n\nfunc f(a User) bool { return a.Password != "" }\n',
        file('net/http', 'func f(r *http.Request, host string) bool {\n\treturn r.Header.Get("X-Host") == host\n}'),
      ],
    },
  },
  {
    id: 'go-error-to-client',
    class: 'info-exposure',
    cwe: 209,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'The words of an inner error go to the client: names of tables, files, hosts. Log it, and answer with a sentence of your own.',
    matches: {
      flow: [
        { calls: 'net/http.Error', when: (call: CallFacts) => isServerError(call.args[2]) && tellsError(call.args[1]) },
        {
          calls: 'GIN.JSON GIN.String GIN.AbortWithStatusJSON ECHO.JSON ECHO.String',
          when: (call: CallFacts) => isServerError(call.args[0]) && call.args.slice(1).some((one) => tellsError(one)),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Error_Handling_Cheat_Sheet.html'],
    examples: {
      bad: [
        file(
          'net/http',
          'func f(w http.ResponseWriter, r *http.Request) {\n\tif _, err := load(); err != nil {\n\t\thttp.Error(w, err.Error(), 500)\n\t}\n}',
        ),
        file(
          'net/http',
          'func f(w http.ResponseWriter, r *http.Request) {\n\t_, err := load()\n\thttp.Error(w, err.Error(), http.StatusInternalServerError)\n}',
        ),
        file(
          'github.com/gin-gonic/gin',
          'func f(c *gin.Context) {\n\t_, err := load()\n\tc.JSON(500, gin.H{"error": err.Error()})\n}',
        ),
      ],
      good: [
        file(
          'net/http',
          'func f(w http.ResponseWriter, r *http.Request) {\n\tif _, err := load(); err != nil {\n\t\thttp.Error(w, "failed", 500)\n\t}\n}',
        ),
        file(
          'net/http',
          'func f(w http.ResponseWriter, r *http.Request) {\n\t_, err := load()\n\thttp.Error(w, err.Error(), http.StatusBadRequest)\n}',
        ),
        file(
          'github.com/gin-gonic/gin',
          'func f(c *gin.Context) {\n\t_, err := load()\n\tlog(err)\n\tc.JSON(500, gin.H{"error": "failed"})\n}',
        ),
      ],
    },
  },
  {
    id: 'go-profiler-served',
    class: 'info-exposure',
    cwe: 200,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'This import adds the profiler to http.DefaultServeMux, so whoever reaches that server reads memory and stacks. Register it on a server of its own that listens on loopback.',
    matches: {
      flow: [
        {
          statement: 'import',
          when: (node: Stmt, { text }: Module) =>
            node.k === 'import' &&
            node.module === 'net/http/pprof' &&
            /ListenAndServe(TLS)?\([^)]*,\s*nil|DefaultServeMux/.test(text) &&
            !/ListenAndServe\(\s*"(127\.|localhost|\[::1\])/.test(text),
        },
      ],
    },
    references: ['https://pkg.go.dev/net/http/pprof'],
    examples: {
      bad: [
        'package main\n\nimport (\n\t"net/http"\n\t_ "net/http/pprof"\n)\n\nfunc main() { http.ListenAndServe(":80", nil) }\n',
        'package main\n\nimport (\n\t"net/http"\n\t_ "net/http/pprof"\n)\n\nfunc main() { serve(http.DefaultServeMux) }\n',
        'package main\n\nimport (\n\t"net/http"\n\t_ "net/http/pprof"\n)\n\nfunc main() { http.ListenAndServeTLS(address, "c", "k", nil) }\n',
      ],
      good: [
        'package main\n\nimport "net/http"\n\nfunc main() { http.ListenAndServe(":80", nil) }\n',
        'package main\n\nimport (\n\t"net/http"\n\t_ "net/http/pprof"\n)\n\nfunc main() { http.ListenAndServe("127.0.0.1:6060", nil) }\n',
        'package main\n\nimport (\n\t"net/http"\n\t_ "net/http/pprof"\n)\n\nfunc main() { serve(http.NewServeMux()) }\n',
      ],
    },
  },
  {
    id: 'go-serves-the-disk',
    class: 'path-traversal',
    cwe: 22,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message: 'The whole disk is served. Serve the one folder that is meant.',
    matches: {
      flow: [{ calls: 'net/http.Dir', when: (call: CallFacts) => /^[/\\]$/.test(String(call.args[0]?.constant)) }],
    },
    references: ['https://pkg.go.dev/net/http#Dir'],
    examples: {
      bad: [
        file('net/http', 'var h = http.FileServer(http.Dir("/"))'),
        file('net/http', 'const root = "/"\n\nvar h = http.FileServer(http.Dir(root))'),
        file(
          'net/http',
          'func f(mux *http.ServeMux) {\n\tmux.Handle("/d/", http.StripPrefix("/d/", http.FileServer(http.Dir("/"))))\n}',
        ),
      ],
      good: [
        file('net/http', 'var h = http.FileServer(http.Dir("/srv/www"))'),
        file('net/http', 'const root = "./public"\n\nvar h = http.FileServer(http.Dir(root))'),
        file(
          'net/http',
          'func f(mux *http.ServeMux, dir string) {\n\tmux.Handle("/", http.FileServer(http.Dir(dir)))\n}',
        ),
      ],
    },
  },
  {
    id: 'go-dropped-error',
    class: 'error-handling',
    cwe: 703,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'When this call fails nobody notices, and what follows works on with something that is not there. Look at the error, or say with `_ =` and a comment why it does not matter.',
    matches: { flow: [{ statement: 'expr', when: (node: Stmt, module: Module) => dropsError(node, module) }] },
    references: ['https://cwe.mitre.org/data/definitions/703.html'],
    examples: {
      bad: [
        file('encoding/json', 'func f(b []byte, v any) {\n\tjson.Unmarshal(b, v)\n}'),
        file('crypto/rand', 'func f(b []byte) {\n\trand.Read(b)\n}'),
        file('os', 'func f() {\n\tfile, _ := os.Open("a")\n\tread(file)\n}'),
      ],
      good: [
        file('encoding/json', 'func f(b []byte, v any) error {\n\treturn json.Unmarshal(b, v)\n}'),
        file('crypto/rand', 'func f(b []byte) {\n\tif _, err := rand.Read(b); err != nil {\n\t\tpanic(err)\n\t}\n}'),
        file('os', 'func f() {\n\tdefer os.Remove("a")\n\tread(nil)\n}'),
      ],
    },
  },
  {
    id: 'go-foreign-gob',
    class: 'deserialization',
    cwe: 502,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'gob is not meant for data of strangers: a small message can take all memory and stop the program. Use JSON with http.MaxBytesReader for what clients send.',
    matches: { flow: [{ calls: 'encoding/gob.NewDecoder', taint: { in: [0], origins: ['remote'] } }] },
    references: ['https://pkg.go.dev/encoding/gob#hdr-Security'],
    examples: {
      bad: [
        file(
          'encoding/gob net/http',
          'func f(w http.ResponseWriter, r *http.Request) {\n\tgob.NewDecoder(r.Body).Decode(&v)\n}',
        ),
        file(
          'encoding/gob io net/http',
          'func read(r io.Reader) {\n\tgob.NewDecoder(r).Decode(&v)\n}\n\nfunc f(w http.ResponseWriter, r *http.Request) {\n\tread(r.Body)\n}',
        ),
        file(
          'bytes encoding/gob github.com/gin-gonic/gin',
          'func f(c *gin.Context) {\n\tb, _ := c.GetRawData()\n\tgob.NewDecoder(bytes.NewReader(b)).Decode(&v)\n}',
        ),
      ],
      good: [
        file(
          'encoding/json net/http',
          'func f(w http.ResponseWriter, r *http.Request) {\n\tjson.NewDecoder(r.Body).Decode(&v)\n}',
        ),
        file(
          'encoding/gob os',
          'func read() {\n\tf, err := os.Open("state")\n\tuse(err)\n\tgob.NewDecoder(f).Decode(&v)\n}',
        ),
        file(
          'encoding/gob net/http',
          'func f(w http.ResponseWriter, r *http.Request) {\n\tgob.NewEncoder(w).Encode(v)\n}',
        ),
      ],
    },
  },
  {
    id: 'go-narrowed-number',
    class: 'memory-unsafe',
    cwe: 190,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A number that was read with 64 bits is cut to fewer, so a large one becomes a small or a negative one. Read it with that size (strconv.ParseInt(s, 10, 32)), or check its bounds before.',
    matches: {
      flow: [
        {
          calls: 'int8 int16 int32 uint8 uint16 uint32 byte',
          when: (call: CallFacts) => {
            const read = Number(/^strconv\.(\d+)$/.exec(call.args[0]?.ref ?? '')?.[1] ?? 0);
            return read > Number(/\d+$/.exec(call.method)?.[0] ?? 8);
          },
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/190.html'],
    examples: {
      bad: [
        file('strconv', 'func f(s string) int32 {\n\tn, _ := strconv.Atoi(s)\n\treturn int32(n)\n}'),
        file(
          'strconv',
          'func f(s string) uint8 {\n\tn, err := strconv.ParseUint(s, 10, 64)\n\tuse(err)\n\treturn uint8(n)\n}',
        ),
        file(
          'strconv',
          'func read(s string) int64 {\n\tn, err := strconv.ParseInt(s, 10, 64)\n\tuse(err)\n\treturn n\n}\n\nfunc f(s string) int16 { return int16(read(s)) }',
        ),
      ],
      good: [
        file('strconv', 'func f(s string) int64 {\n\tn, _ := strconv.Atoi(s)\n\treturn int64(n)\n}'),
        file(
          'strconv',
          'func f(s string) uint8 {\n\tn, err := strconv.ParseUint(s, 10, 8)\n\tuse(err)\n\treturn uint8(n)\n}',
        ),
        file(
          'strconv',
          'func f(s string) int16 {\n\tn, err := strconv.Atoi(s)\n\tuse(err)\n\tif n > 100 || n < 0 {\n\t\treturn 0\n\t}\n\treturn int16(n)\n}',
        ),
      ],
    },
  },
  {
    id: 'go-pointer-arithmetic',
    class: 'memory-unsafe',
    cwe: 119,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'A pointer that is computed leads anywhere when the size is not what was thought, and the garbage collector does not know it. Use slices, unsafe.Slice or unsafe.String with a length that was checked.',
    matches: {
      flow: [
        {
          calls: 'unsafe.Pointer',
          when: (call: CallFacts) =>
            /uintptr\b|(Slice|String)Header/.test(call.frame.module.text.slice(call.node.start, call.node.end)) &&
            /[-+]\s*(uintptr|unsafe\.Sizeof|offset|\d|[a-z])|Header/i.test(
              call.frame.module.text.slice(call.node.start, call.node.end),
            ),
        },
      ],
    },
    references: ['https://pkg.go.dev/unsafe#Pointer'],
    examples: {
      bad: [
        file(
          'unsafe',
          'func f(p *int, n uintptr) *int {\n\treturn (*int)(unsafe.Pointer(uintptr(unsafe.Pointer(p)) + n))\n}',
        ),
        file('unsafe', 'func f(p unsafe.Pointer) unsafe.Pointer {\n\treturn unsafe.Pointer(uintptr(p) + 8)\n}'),
        file(
          'reflect unsafe',
          'func f(h reflect.SliceHeader) []byte {\n\treturn *(*[]byte)(unsafe.Pointer(&reflect.SliceHeader{Data: h.Data, Len: 9, Cap: 9}))\n}',
        ),
      ],
      good: [
        file('unsafe', 'func f(p *int, n int) []int {\n\treturn unsafe.Slice(p, n)\n}'),
        file('unsafe', 'func f(p *int32) *uint32 {\n\treturn (*uint32)(unsafe.Pointer(p))\n}'),
        'package main\n\nfunc f(b []byte, n int) byte {\n\treturn b[n+8]\n}\n',
      ],
    },
  },
  {
    id: 'go-jwt-unverified',
    class: 'jwt-misuse',
    cwe: 347,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The token is taken as it is, without a look at its signature, so anybody writes one for anybody. Use jwt.Parse with a key and jwt.WithValidMethods.',
    matches: {
      flow: [
        { calls: '*.ParseUnverified', when: (call: CallFacts) => /jwt/i.test(call.ref) },
        {
          calls: '*.SignedString',
          when: (call: CallFacts) => /jwt\.UnsafeAllowNoneSignatureType$/.test(call.args[0]?.ref ?? ''),
        },
        {
          calls: 'github.com/golang-jwt/jwt.NewWithClaims github.com/dgrijalva/jwt-go.NewWithClaims',
          when: (call: CallFacts) => /SigningMethodNone$/.test(call.args[0]?.ref ?? ''),
        },
      ],
    },
    references: ['https://www.rfc-editor.org/rfc/rfc8725'],
    examples: {
      bad: [
        file('github.com/golang-jwt/jwt/v5', 'func f(t string) {\n\tjwt.NewParser().ParseUnverified(t, c)\n}'),
        file(
          'github.com/golang-jwt/jwt/v5',
          'func f(t *jwt.Token) {\n\tt.SignedString(jwt.UnsafeAllowNoneSignatureType)\n}',
        ),
        file(
          'github.com/golang-jwt/jwt/v5',
          'func f(c jwt.Claims) *jwt.Token {\n\treturn jwt.NewWithClaims(jwt.SigningMethodNone, c)\n}',
        ),
      ],
      good: [
        file(
          'github.com/golang-jwt/jwt/v5',
          'func f(t string, k jwt.Keyfunc) {\n\tjwt.Parse(t, k, jwt.WithValidMethods([]string{"HS256"}))\n}',
        ),
        file('github.com/golang-jwt/jwt/v5', 'func f(t *jwt.Token, key []byte) {\n\tt.SignedString(key)\n}'),
        file(
          'github.com/golang-jwt/jwt/v5',
          'func f(c jwt.Claims) *jwt.Token {\n\treturn jwt.NewWithClaims(jwt.SigningMethodHS256, c)\n}',
        ),
      ],
    },
  },
];
