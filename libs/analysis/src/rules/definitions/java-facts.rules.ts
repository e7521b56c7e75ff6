import type { CallFacts } from '../../flow/engine.js';
import type { Expr, Module, Stmt } from '../../flow/ir.js';
import type { Value } from '../../flow/value.js';
import { functionText } from '../go-facts.js';
import {
  agreesAlways,
  guardsSomething,
  isWeakCipher,
  isWeakHash,
  isWriter,
  readsEntities,
  swallowsAll,
  trustsAll,
} from '../java-facts.js';
import { comparesSecret } from '../javascript-forms.js';
import { literalPassword } from '../python-facts.js';
import type { RuleDefinition } from '../rule.js';

const LANGUAGES = ['java'] as const;
const method = (body: string, signature = 'void f() throws Exception'): string =>
  `class A {\n  ${signature} {\n    ${body}\n  }\n}\n`;
const refOf = (value: Value | undefined): string => value?.ref ?? '';
const textOf = (call: CallFacts): string => call.frame.module.text.slice(call.node.start, call.node.end);
const isLow = (value: Value | undefined, least: number): boolean =>
  typeof value?.constant === 'number' && value.constant < least;

/** What single calls, settings and statements of Java say by themselves. */
export const JAVA_FACT_RULES: readonly RuleDefinition[] = [
  {
    id: 'java-broken-hash',
    class: 'weak-crypto',
    cwe: 328,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'MD5 and SHA-1 can be made to collide, and are far too fast for passwords. Use SHA-256 for digests, and bcrypt, scrypt, Argon2 or PBKDF2 for passwords.',
    matches: {
      flow: [
        { calls: 'MessageDigest.getInstance', when: (call: CallFacts) => isWeakHash(call.args[0]) },
        {
          calls:
            'DigestUtils.md5 DigestUtils.md5Hex DigestUtils.sha1 DigestUtils.sha1Hex DigestUtils.md5DigestAsHex Hashing.md5 Hashing.sha1',
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/328.html'],
    examples: {
      bad: [
        method('MessageDigest.getInstance("MD5");'),
        'class A {\n  static final String H = "SHA1";\n  void f() throws Exception { java.security.MessageDigest.getInstance(H, "SUN"); }\n}\n',
        method('DigestUtils.md5Hex(p);', 'void f(String p)'),
      ],
      good: [
        method('MessageDigest.getInstance("SHA-256");'),
        'class A {\n  static final String H = "SHA-512";\n  void f() throws Exception { java.security.MessageDigest.getInstance(H, "SUN"); }\n}\n',
        method('DigestUtils.sha256Hex(p);', 'void f(String p)'),
      ],
    },
  },
  {
    id: 'java-broken-cipher',
    class: 'weak-crypto',
    cwe: 327,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'What is encrypted this way can be read by others: DES, RC4 and Blowfish are broken, ECB shows equal blocks, keys are too short or the start value is the same every time. Use AES/GCM/NoPadding with a fresh nonce, RSA of at least 2048 bits.',
    matches: {
      flow: [
        {
          calls: 'Cipher.getInstance KeyGenerator.getInstance SecretKeyFactory.getInstance',
          when: (call: CallFacts) =>
            isWeakCipher(call.args[0]) &&
            !(call.ref.startsWith('Key') && /^AES$/i.test(String(call.args[0]?.constant))),
        },
        {
          calls: '*.initialize',
          when: (call: CallFacts) =>
            /KeyPairGenerator/.test(refOf(call.receiver)) &&
            isLow(call.args[0], 2048) &&
            !/"(EC|Ed25519|X25519|ECDSA)"/.test(functionText(call)),
        },
        {
          calls: 'IvParameterSpec GCMParameterSpec',
          when: (call: CallFacts) =>
            typeof call.args.at(-1)?.constant === 'string' ||
            call.args.at(-1)?.items?.some((one) => one.constant !== undefined) === true,
        },
        { calls: 'PBEKeySpec', when: (call: CallFacts) => isLow(call.args[2], 10_000) },
        {
          calls: 'SSLContext.getInstance',
          when: (call: CallFacts) => /^(SSL|SSLv[23]|TLSv1(\.1)?)$/.test(String(call.args[0]?.constant)),
        },
        { calls: 'NullCipher NoOpPasswordEncoder.getInstance' },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Cryptographic_Storage_Cheat_Sheet.html'],
    examples: {
      bad: [
        method('Cipher.getInstance("DES/CBC/PKCS5Padding");'),
        'class A {\n  void f() throws Exception {\n    String a = "AES";\n    javax.crypto.Cipher.getInstance(a + "/ECB/PKCS5Padding");\n  }\n}\n',
        method('KeyPairGenerator g = KeyPairGenerator.getInstance("RSA");\n    g.initialize(1024);'),
      ],
      good: [
        method('Cipher.getInstance("AES/GCM/NoPadding");'),
        'class A {\n  void f() throws Exception {\n    String a = "AES";\n    javax.crypto.Cipher.getInstance(a + "/CBC/PKCS5Padding");\n  }\n}\n',
        method('KeyPairGenerator g = KeyPairGenerator.getInstance("RSA");\n    g.initialize(3072);'),
      ],
    },
  },
  {
    id: 'java-guessable-random',
    class: 'insecure-random',
    cwe: 338,
    severity: 'high',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Numbers of Random and Math.random can be computed from a few others, so what they guard can be guessed. Use SecureRandom, without a seed of your own.',
    matches: {
      flow: [
        {
          calls:
            'Math.random RandomStringUtils.random RandomStringUtils.randomAlphanumeric RandomStringUtils.randomNumeric RandomStringUtils.randomAlphabetic',
          when: guardsSomething,
        },
        {
          calls:
            '*.nextInt *.nextLong *.nextDouble *.nextFloat *.nextGaussian *.nextBytes *.nextBoolean *.ints *.longs',
          when: (call: CallFacts) =>
            /^(Random|ThreadLocalRandom\.current\(\)|ThreadLocalRandom|SplittableRandom)$/.test(refOf(call.receiver)) &&
            guardsSomething(call),
        },
        {
          calls: '*.setSeed',
          when: (call: CallFacts) =>
            refOf(call.receiver) === 'SecureRandom' &&
            (call.args[0]?.constant !== undefined || /currentTimeMillis|nanoTime/.test(refOf(call.args[0]))),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/338.html'],
    examples: {
      bad: [
        method('return new Random().nextLong();', 'long newToken()'),
        method('double v = java.lang.Math.random();\n    String password = Double.toString(v);'),
        method(
          'Random r = new java.util.Random();\n    byte[] b = new byte[16];\n    r.nextBytes(b);',
          'void sessionId()',
        ),
      ],
      good: [
        method('return new Random().nextLong();', 'long dice()'),
        method('double v = new SecureRandom().nextDouble();\n    String password = Double.toString(v);'),
        method(
          'Random r = new java.security.SecureRandom();\n    byte[] b = new byte[16];\n    r.nextBytes(b);',
          'void sessionId()',
        ),
      ],
    },
  },
  {
    id: 'java-tls-unverified',
    class: 'tls-verify-off',
    cwe: 295,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Nobody checks who is on the other end, so anybody on the way reads and changes what is sent. Leave the checks to the platform, with a trust store for what no public authority has signed.',
    matches: {
      flow: [
        { statement: 'class', when: (node: Stmt) => node.k === 'class' && trustsAll(node.cls) },
        { expression: 'class', when: (node: Expr) => node.k === 'class' && trustsAll(node.cls) },
        {
          calls:
            '*.setHostnameVerifier *.setDefaultHostnameVerifier *.hostnameVerifier *.setSSLHostnameVerifier SSLConnectionSocketFactory',
          when: (call: CallFacts) => call.args.some((one) => agreesAlways(one)),
        },
        {
          calls: '*.loadTrustMaterial',
          when: (call: CallFacts) =>
            call.args.some((one) => /TrustAllStrategy|TrustSelfSignedStrategy/.test(refOf(one)) || agreesAlways(one)),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/295.html'],
    examples: {
      bad: [
        'class T implements X509TrustManager {\n  public void checkServerTrusted(X509Certificate[] c, String t) {}\n}\n',
        method('c.setHostnameVerifier((h, s) -> true);', 'void f(HttpsURLConnection c)'),
        method('c.setSSLHostnameVerifier(NoopHostnameVerifier.INSTANCE);', 'void f(HttpClientBuilder c)'),
      ],
      good: [
        'class T implements X509TrustManager {\n  public void checkServerTrusted(X509Certificate[] c, String t) throws CertificateException { inner.checkServerTrusted(c, t); }\n}\n',
        method('c.setHostnameVerifier((h, s) -> h.equals("a"));', 'void f(HttpsURLConnection c)'),
        method('c.setSSLHostnameVerifier(new DefaultHostnameVerifier());', 'void f(HttpClientBuilder c)'),
      ],
    },
  },
  {
    id: 'java-xml-entities',
    class: 'xxe',
    cwe: 611,
    severity: 'high',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'This parser follows entities of the document, so who writes it reads files of this machine and reaches hosts that only it can see. Refuse doctypes: setFeature("http://apache.org/xml/features/disallow-doctype-decl", true), or XMLConstants.ACCESS_EXTERNAL_DTD with "".',
    matches: {
      flow: [
        {
          calls:
            'DocumentBuilderFactory.newInstance SAXParserFactory.newInstance XMLInputFactory.newInstance XMLInputFactory.newFactory XMLReaderFactory.createXMLReader SAXReader SAXBuilder SchemaFactory.newInstance',
          when: readsEntities,
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/XML_External_Entity_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        method(
          'DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(in);',
          'void f(InputStream in) throws Exception',
        ),
        method(
          'XMLInputFactory x = XMLInputFactory.newInstance();\n    x.createXMLStreamReader(in);',
          'void f(InputStream in) throws Exception',
        ),
        method('new SAXReader().read(in);', 'void f(InputStream in) throws Exception'),
      ],
      good: [
        method(
          'DocumentBuilderFactory d = DocumentBuilderFactory.newInstance();\n    d.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);\n    d.newDocumentBuilder().parse(in);',
          'void f(InputStream in) throws Exception',
        ),
        method(
          'XMLInputFactory x = XMLInputFactory.newInstance();\n    x.setProperty(XMLInputFactory.SUPPORT_DTD, false);\n    x.createXMLStreamReader(in);',
          'void f(InputStream in) throws Exception',
        ),
        method('new JsonReader().read(in);', 'void f(InputStream in) throws Exception'),
      ],
    },
  },
  {
    id: 'java-reads-objects',
    class: 'deserialization',
    cwe: 502,
    severity: 'medium',
    confidence: 'low',
    languages: LANGUAGES,
    message:
      'Making objects from bytes runs code that the bytes choose, when others can write them. Set an ObjectInputFilter that names the classes that may come, or use a format of data.',
    matches: {
      flow: [
        {
          calls: '*.readObject *.readUnshared',
          when: (call: CallFacts) =>
            refOf(call.receiver) === 'ObjectInputStream' &&
            !/setObjectInputFilter|ObjectInputFilter|resolveClass|ValidatingObjectInputStream/.test(
              call.frame.module.text,
            ) &&
            !/^(readObject|readResolve|readExternal)$/.test(call.frame.fn?.name ?? ''),
        },
        { calls: 'XMLDecoder' },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Deserialization_Cheat_Sheet.html'],
    examples: {
      bad: [
        method('return new ObjectInputStream(in).readObject();', 'Object f(InputStream in) throws Exception'),
        method(
          'ObjectInputStream o = new ObjectInputStream(in);\n    o.readUnshared();',
          'void f(InputStream in) throws Exception',
        ),
        method('new XMLDecoder(in);', 'void f(InputStream in)'),
      ],
      good: [
        method(
          'ObjectInputStream o = new ObjectInputStream(in);\n    o.setObjectInputFilter(filter);\n    return o.readObject();',
          'Object f(InputStream in) throws Exception',
        ),
        method(
          'in.defaultReadObject();\n    name = in.readObject();',
          'private void readObject(ObjectInputStream in) throws Exception',
        ),
        method('new ObjectMapper().readTree(in);', 'void f(InputStream in) throws Exception'),
      ],
    },
  },
  {
    id: 'java-literal-password',
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
          statement: 'class',
          when: (node: Stmt) =>
            node.k === 'class'
              ? (node.cls.members.find(({ name, value, span }) => literalPassword({ ...span, k: 'name', name }, value))
                  ?.span ?? false)
              : false,
        },
        { calls: 'DriverManager.getConnection *.createConnection', when: (call: CallFacts) => isSecret(call.args[2]) },
        { calls: '*.setPassword *.password *.setSecretKey', when: (call: CallFacts) => isSecret(call.args[0]) },
        {
          calls: 'PasswordAuthentication UsernamePasswordCredentials BasicAWSCredentials',
          when: (call: CallFacts) => isSecret(call.args[1]),
        },
        {
          calls: 'SecretKeySpec',
          when: (call: CallFacts) => typeof call.args[0]?.constant === 'string' && call.args[0].constant.length > 3,
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html'],
    examples: {
      bad: [
        'class A {\n  private static final String PASSWORD = "hunter2";\n}\n',
        method('DriverManager.getConnection("jdbc:a:b", "app", "hunter2");'),
        method('new SecretKeySpec("0123456789abcdef".getBytes(), "AES");'),
      ],
      good: [
        'class A {\n  private static final String PASSWORD = "password";\n}\n',
        method('DriverManager.getConnection("jdbc:a:b", "app", System.getenv("P"));'),
        method('new SecretKeySpec(key.getBytes(), "AES");', 'void f(String key)'),
      ],
    },
  },
  {
    id: 'java-cookie-flags',
    class: 'cookie-flags',
    cwe: 614,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'This cookie is sent without encryption too, or a script of the page can read it. Call setSecure(true) and setHttpOnly(true).',
    matches: {
      flow: [
        {
          calls: '*.setSecure',
          when: (call: CallFacts) =>
            call.args[0]?.constant === false && /Cookie|^\?\w*[cC]ookie/.test(refOf(call.receiver)),
        },
        {
          calls: '*.setHttpOnly',
          when: (call: CallFacts) =>
            call.args[0]?.constant === false && /Cookie|^\?\w*[cC]ookie/.test(refOf(call.receiver)),
        },
        {
          calls: 'Cookie',
          when: (call: CallFacts) =>
            !/\.setSecure\(|setMaxAge\(\s*0|\.setAttribute\(/.test(functionText(call)) &&
            /addCookie\(/.test(functionText(call)),
        },
        {
          calls: '*.secure *.httpOnly',
          when: (call: CallFacts) => call.args[0]?.constant === false && /ResponseCookie/.test(call.ref),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html'],
    examples: {
      bad: [
        method(
          'Cookie c = new Cookie("sid", id);\n    c.setSecure(false);\n    r.addCookie(c);',
          'void f(HttpServletResponse r, String id)',
        ),
        method('Cookie c = new Cookie("sid", id);\n    r.addCookie(c);', 'void f(HttpServletResponse r, String id)'),
        method(
          'javax.servlet.http.Cookie c = new javax.servlet.http.Cookie("sid", id);\n    c.setSecure(true);\n    c.setHttpOnly(false);\n    r.addCookie(c);',
          'void f(HttpServletResponse r, String id)',
        ),
      ],
      good: [
        method(
          'Cookie c = new Cookie("sid", id);\n    c.setSecure(true);\n    r.addCookie(c);',
          'void f(HttpServletResponse r, String id)',
        ),
        method(
          'Cookie c = new Cookie("sid", "");\n    c.setMaxAge(0);\n    r.addCookie(c);',
          'void f(HttpServletResponse r)',
        ),
        method('c.setHttpOnly(true);', 'void f(Cookie c)'),
      ],
    },
  },
  {
    id: 'java-error-to-client',
    class: 'info-exposure',
    cwe: 209,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'The words or the stack of an inner error go to the client: names of classes, tables, files. Log it, and answer with a sentence of your own.',
    matches: {
      flow: [
        { calls: '*.printStackTrace', when: (call: CallFacts) => isWriter(call.args[0]) },
        {
          calls: '*.println *.print *.write',
          when: (call: CallFacts) =>
            isWriter(call.receiver) &&
            /^ERROR(\.(getMessage|toString|getLocalizedMessage|getStackTrace)\(\))?$/.test(refOf(call.args[0])),
        },
        {
          calls: 'RES.sendError',
          when: (call: CallFacts) => /^ERROR\.(getMessage|toString)\(\)$/.test(refOf(call.args[1])),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Error_Handling_Cheat_Sheet.html'],
    examples: {
      bad: [
        method(
          'try { g(); } catch (Exception e) { e.printStackTrace(r.getWriter()); }',
          'void f(HttpServletResponse r) throws IOException',
        ),
        method(
          'try { g(); } catch (Exception e) { r.sendError(500, e.getMessage()); }',
          'void f(HttpServletResponse r) throws IOException',
        ),
        method(
          'PrintWriter out = r.getWriter();\n    try { g(); } catch (SQLException e) { out.println(e.getMessage()); }',
          'void f(HttpServletResponse r) throws IOException',
        ),
      ],
      good: [
        method(
          'try { g(); } catch (Exception e) { log.error("g", e); }',
          'void f(HttpServletResponse r) throws IOException',
        ),
        method(
          'try { g(); } catch (Exception e) { r.sendError(500, "failed"); }',
          'void f(HttpServletResponse r) throws IOException',
        ),
        method(
          'PrintWriter out = r.getWriter();\n    try { g(); } catch (SQLException e) { out.println("failed"); }',
          'void f(HttpServletResponse r) throws IOException',
        ),
      ],
    },
  },
  {
    id: 'java-csrf-off',
    class: 'csrf',
    cwe: 352,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Any page on the web can send requests here with the cookies of whoever looks at it. Leave the protection on, unless no cookie signs people in (then say SessionCreationPolicy.STATELESS).',
    matches: {
      flow: [
        {
          calls: '*.disable',
          when: (call: CallFacts) =>
            /\.csrf\(\)$/.test(refOf(call.receiver)) &&
            !/STATELESS|oauth2ResourceServer|httpBasic/.test(functionText(call)),
        },
        {
          calls: '*.csrf',
          when: (call: CallFacts) =>
            /::\s*disable|\.disable\(\)/.test(textOf(call).slice(textOf(call).lastIndexOf('csrf('))) &&
            call.args.length === 1 &&
            !/STATELESS|oauth2ResourceServer|httpBasic/.test(functionText(call)),
        },
      ],
    },
    references: [
      'https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html',
    ],
    examples: {
      bad: [
        method('http.csrf().disable();', 'void f(HttpSecurity http) throws Exception'),
        method('http.csrf(AbstractHttpConfigurer::disable);', 'void f(HttpSecurity http) throws Exception'),
        method('http.csrf(c -> c.disable()).formLogin();', 'void f(HttpSecurity http) throws Exception'),
      ],
      good: [
        method('http.csrf().csrfTokenRepository(t);', 'void f(HttpSecurity http) throws Exception'),
        method('http.csrf(Customizer.withDefaults());', 'void f(HttpSecurity http) throws Exception'),
        method(
          'http.csrf(c -> c.disable()).sessionManagement(s -> s.sessionCreationPolicy(SessionCreationPolicy.STATELESS));',
          'void f(HttpSecurity http) throws Exception',
        ),
      ],
    },
  },
  {
    id: 'java-cors-any-origin',
    class: 'cors',
    cwe: 942,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Every page on the web may read answers with the cookies of whoever looks at it. Name the origins that may.',
    matches: {
      flow: [
        { expression: 'call', when: (node: Expr) => opensToAll(node) },
        {
          calls:
            '*.addAllowedOrigin *.addAllowedOriginPattern *.allowedOrigins *.allowedOriginPatterns *.setAllowedOrigins *.setAllowedOriginPatterns',
          when: (call: CallFacts) =>
            call.args.some(
              (one) => one.constant === '*' || one.items?.some((item) => item.constant === '*') === true,
            ) && /[aA]llowCredentials\(\s*true/.test(functionText(call)),
        },
        {
          calls: 'RES.setHeader RES.addHeader',
          when: (call: CallFacts) =>
            /^access-control-allow-origin$/i.test(String(call.args[0]?.constant)) &&
            (call.args[1]?.constant === '*' || call.args[1]?.taint?.origin === 'remote') &&
            /allow-credentials"\s*,\s*"true/i.test(functionText(call)),
        },
      ],
    },
    references: ['https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS'],
    examples: {
      bad: [
        '@CrossOrigin(origins = "*", allowCredentials = "true")\nclass A {\n}\n',
        method('c.addAllowedOriginPattern("*");\n    c.setAllowCredentials(true);', 'void f(CorsConfiguration c)'),
        method(
          'r.setHeader("Access-Control-Allow-Origin", q.getHeader("Origin"));\n    r.setHeader("Access-Control-Allow-Credentials", "true");',
          'void f(HttpServletRequest q, HttpServletResponse r)',
        ),
      ],
      good: [
        '@CrossOrigin(origins = "https://a.example.org", allowCredentials = "true")\nclass A {\n}\n',
        method('c.addAllowedOriginPattern("*");\n    c.setAllowCredentials(false);', 'void f(CorsConfiguration c)'),
        method(
          'r.setHeader("Access-Control-Allow-Origin", "https://a.example.org");\n    r.setHeader("Access-Control-Allow-Credentials", "true");',
          'void f(HttpServletRequest q, HttpServletResponse r)',
        ),
      ],
    },
  },
  {
    id: 'java-open-mode',
    class: 'file-permissions',
    cwe: 732,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Other users of the machine may write this file, and so change what the program reads or runs. Leave it to the owner.',
    matches: {
      flow: [
        {
          calls: '*.setWritable',
          when: (call: CallFacts) => call.args[0]?.constant === true && call.args[1]?.constant === false,
        },
        {
          calls: 'PosixFilePermissions.fromString',
          when: (call: CallFacts) => /^.{4}w|^.{7}w/.test(String(call.args[0]?.constant)),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/732.html'],
    examples: {
      bad: [
        method('f.setWritable(true, false);', 'void f(File f)'),
        method('PosixFilePermissions.fromString("rwxrwxrwx");'),
        method('String p = "rw-rw-rw-";\n    Files.setPosixFilePermissions(x, PosixFilePermissions.fromString(p));'),
      ],
      good: [
        method('f.setWritable(true, true);', 'void f(File f)'),
        method('PosixFilePermissions.fromString("rwxr-xr-x");'),
        method('String p = "rw-------";\n    Files.setPosixFilePermissions(x, PosixFilePermissions.fromString(p));'),
      ],
    },
  },
  {
    id: 'java-empty-catch',
    class: 'error-handling',
    cwe: 390,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'Whatever goes wrong here, nobody hears of it. Catch what you expect, log the rest, or say in a comment why it does not matter.',
    matches: {
      flow: [{ statement: 'try', when: (node: Stmt, module: Module) => node.k === 'try' && swallowsAll(node, module) }],
    },
    references: ['https://cwe.mitre.org/data/definitions/390.html'],
    examples: {
      bad: [
        method('try { g(); } catch (Exception e) {}'),
        method('try { g(); } catch (Throwable t) {\n    }'),
        method('try { g(); } catch (IOException | RuntimeException e) { } finally { h(); }'),
      ],
      good: [
        method('try { g(); } catch (Exception e) { log.warn("g", e); }'),
        method('try { g(); } catch (Exception e) {\n      // It may be gone already.\n    }'),
        method('try { g(); } catch (InterruptedException ignored) {}'),
      ],
    },
  },
  {
    id: 'java-secret-compared',
    class: 'timing-attack',
    cwe: 208,
    severity: 'low',
    confidence: 'low',
    languages: LANGUAGES,
    message:
      'The comparison ends at the first character that differs, so its time tells how much of the secret was right. Use MessageDigest.isEqual.',
    matches: { flow: [{ expression: 'op', when: (node: Expr) => comparesSecret(node) }] },
    references: ['https://cwe.mitre.org/data/definitions/208.html'],
    examples: {
      bad: [
        method('return signature.equals(expected);', 'boolean f(String signature, String expected)'),
        method('if (!this.secret.equals(given)) g();', 'void f(String given)'),
        method('return hmac == mine;', 'boolean f(String hmac, String mine)'),
      ],
      good: [
        method('return MessageDigest.isEqual(signature, expected);', 'boolean f(byte[] signature, byte[] expected)'),
        method('if (!this.host.equals(given)) g();', 'void f(String given)'),
        method('return hmac == null;', 'boolean f(String hmac)'),
      ],
    },
  },
  {
    id: 'java-jwt-unverified',
    class: 'jwt-misuse',
    cwe: 347,
    severity: 'high',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'The token is taken without a look at its signature, so anybody writes one for anybody. Verify it with a key (JWT.require(…).build().verify, parseSignedClaims).',
    matches: {
      flow: [
        { calls: 'Algorithm.none PlainJWT.parse PlainJWT' },
        {
          calls: '*.parseClaimsJwt *.parseUnsecuredClaims *.unsecured',
          when: (call: CallFacts) => /[jJ]wt|parser/.test(call.ref),
        },
        { calls: 'JWT.decode', when: (call: CallFacts) => !/\.verify\(/.test(functionText(call)) },
      ],
    },
    references: ['https://www.rfc-editor.org/rfc/rfc8725'],
    examples: {
      bad: [
        method('Algorithm a = Algorithm.none();'),
        method('Jwts.parser().build().parseUnsecuredClaims(t);', 'void f(String t)'),
        method('return JWT.decode(t).getSubject();', 'String f(String t)'),
      ],
      good: [
        method('Algorithm a = Algorithm.HMAC256(key);', 'void f(byte[] key)'),
        method('Jwts.parser().verifyWith(k).build().parseSignedClaims(t);', 'void f(SecretKey k, String t)'),
        method('return JWT.require(a).build().verify(t).getSubject();', 'String f(Algorithm a, String t)'),
      ],
    },
  },
];

const isSecret = (value: Value | undefined): boolean =>
  typeof value?.constant === 'string' &&
  literalPassword(
    { k: 'name', name: 'password', start: 0, end: 0 },
    { k: 'const', value: value.constant, start: 0, end: 0 },
  );

/** `@CrossOrigin` with any origin, and cookies. */
function opensToAll(node: Expr): boolean {
  if (node.k !== 'call' || node.callee.k !== 'name' || node.callee.name !== 'CrossOrigin') return false;
  const field = (name: string): Expr | undefined => node.args.find((one) => one.name === name)?.value;
  const origins = field('origins') ?? field('originPatterns') ?? field('value');
  const any =
    origins?.k === 'const'
      ? origins.value === '*'
      : origins?.k === 'list' && origins.items.some(({ value }) => value.k === 'const' && value.value === '*');
  const credentials = field('allowCredentials');
  return any && credentials?.k === 'const' && credentials.value === 'true';
}
