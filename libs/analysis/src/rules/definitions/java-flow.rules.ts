import type { CallFacts } from '../../flow/engine.js';
import type { Frame, Value } from '../../flow/value.js';
import { isNoPage, isWriter } from '../java-facts.js';
import type { RuleDefinition } from '../rule.js';

const LANGUAGES = ['java'] as const;
const refOf = (value: Value | undefined): string => value?.ref ?? '';

/** A servlet whose doGet does this. */
const servlet = (body: string, more = ''): string =>
  `public class S extends HttpServlet {\n  protected void doGet(HttpServletRequest request, HttpServletResponse response) throws Exception {\n    ${body}\n  }\n  ${more}\n}\n`;
/** A method of a Spring controller. */
const route = (signature: string, body: string, more = ''): string =>
  `@RestController\nclass C {\n  ${more}\n  @GetMapping("/a")\n  ${signature} {\n    ${body}\n  }\n}\n`;

const SHELL = /(^|\/)((ba|z|da|k)?sh|cmd(\.exe)?|powershell(\.exe)?)$/i;

/** Whether a list of words may be a shell with a line for it: its first word is no other program that is known. */
function mayBeShell(list: readonly Value[]): boolean {
  const [program] = list;
  return program === undefined || typeof program.constant !== 'string' || SHELL.test(program.constant);
}

const wordsOf = ({ args }: CallFacts): readonly Value[] => (args.length === 1 && args[0]?.items ? args[0].items : args);
const REDIRECT = /^(redirect|forward):(\/\/)?(https?:\/\/)?\u0001/;

/** Data of others that reaches what runs, reads, sends or shows it, in Java. */
export const JAVA_FLOW_RULES: readonly RuleDefinition[] = [
  {
    id: 'java-sql-from-request',
    class: 'sql-injection',
    cwe: 89,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of the text of a query, so the client decides what the query does: reads other rows, changes or deletes them. Use a PreparedStatement or named parameters and keep the text constant.',
    matches: {
      flow: [
        {
          calls:
            '*.executeQuery *.executeUpdate *.execute *.executeLargeUpdate *.addBatch *.prepareStatement *.createQuery *.createNativeQuery *.createSQLQuery *.createNamedQuery *.queryForList *.queryForObject *.queryForMap *.queryForRowSet *.queryForInt *.queryForLong *.queryForStream *.query *.update *.batchUpdate *.sql',
          taint: { in: [0], origins: ['remote'], shape: 'sql' },
          when: (call: CallFacts) =>
            call.args[0]?.shape !== undefined ||
            /Statement|Connection|[jJ]dbc|EntityManager|^\?(em|entityManager|session|con|conn|connection|statement|stmt)\b/.test(
              refOf(call.receiver),
            ),
        },
        { calls: '*.prepareCall', taint: { in: [0], origins: ['remote'] } },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        servlet(
          'db.createStatement().executeQuery("SELECT * FROM u WHERE id = " + request.getParameter("id"));',
          'Connection db;',
        ),
        servlet(
          'find(request.getHeader("X-Name"));',
          'JdbcTemplate jdbc;\n  void find(String n) { jdbc.queryForList(String.format("SELECT * FROM u WHERE n = \'%s\'", n)); }',
        ),
        route(
          'Object a(@RequestParam String q)',
          'StringBuilder sb = new StringBuilder("from User where n = \'");\n    sb.append(q).append("\'");\n    return em.createQuery(sb.toString()).getResultList();',
          'EntityManager em;',
        ),
      ],
      good: [
        servlet(
          'db.prepareStatement("SELECT * FROM u WHERE id = ?").setString(1, request.getParameter("id"));',
          'Connection db;',
        ),
        servlet(
          'find(Integer.parseInt(request.getHeader("X-Name")));',
          'JdbcTemplate jdbc;\n  void find(int n) { jdbc.queryForList(String.format("SELECT * FROM u WHERE n = %s", n)); }',
        ),
        route(
          'Object a(@RequestParam String q)',
          'StringBuilder sb = new StringBuilder("from User where n = ");\n    sb.append(":q");\n    return em.createQuery(sb.toString()).setParameter("q", q).getResultList();',
          'EntityManager em;',
        ),
      ],
    },
  },
  {
    id: 'java-command-from-request',
    class: 'command-injection',
    cwe: 78,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client decides which program runs, or becomes part of a line that a shell reads. Name the program as a constant, call it without a shell, and hand data over as single arguments.',
    matches: {
      flow: [
        {
          calls: '*.exec',
          taint: { in: [0, 1], origins: ['remote', 'local'] },
          when: (call: CallFacts) =>
            /Runtime|^\?(r|rt|runtime)$/.test(refOf(call.receiver)) &&
            (call.args[0]?.items === undefined || mayBeShell(call.args[0].items) || call.args[1]?.items !== undefined),
        },
        {
          calls: 'ProcessBuilder',
          taint: { in: 'any', origins: ['remote', 'local'] },
          when: (call: CallFacts) => mayBeShell(wordsOf(call)) || wordsOf(call)[0]?.taint !== undefined,
        },
        {
          calls: '*.command',
          taint: { in: 'any', origins: ['remote', 'local'] },
          when: (call: CallFacts) =>
            /ProcessBuilder|^\?pb$/.test(refOf(call.receiver)) &&
            (mayBeShell(wordsOf(call)) || wordsOf(call)[0]?.taint !== undefined),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/OS_Command_Injection_Defense_Cheat_Sheet.html'],
    examples: {
      bad: [
        servlet('Runtime.getRuntime().exec("ping " + request.getParameter("h"));'),
        servlet(
          'run(request.getParameter("h"));',
          'void run(String h) throws Exception { new ProcessBuilder("sh", "-c", "ping " + h).start(); }',
        ),
        route(
          'void a(@RequestParam String q)',
          'List<String> l = new ArrayList<>();\n    l.add("bash");\n    l.add("-c");\n    l.add(q);\n    ProcessBuilder pb = new ProcessBuilder();\n    pb.command(l);',
        ),
      ],
      good: [
        servlet('Runtime.getRuntime().exec("ping localhost");\n    log(request.getParameter("h"));'),
        servlet(
          'run(request.getParameter("h"));',
          'void run(String h) throws Exception { new ProcessBuilder("ping", "-c", "1", h).start(); }',
        ),
        route(
          'void a(@RequestParam int q)',
          'List<String> l = new ArrayList<>();\n    l.add("bash");\n    l.add("-c");\n    l.add("echo " + q);\n    ProcessBuilder pb = new ProcessBuilder();\n    pb.command(l);',
        ),
      ],
    },
  },
  {
    id: 'java-path-from-request',
    class: 'path-traversal',
    cwe: 22,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Somebody else names the file, so `../../etc/passwd` leaves the folder that was meant. Resolve and normalise the path, and refuse it unless it still starts with the folder; or take only the last name (Path.getFileName).',
    matches: {
      flow: [
        {
          calls:
            'FileInputStream FileOutputStream FileReader FileWriter RandomAccessFile PrintWriter FileSystemResource UrlResource ZipFile JarFile',
          taint: { in: [0], origins: ['remote', 'archive'] },
        },
        {
          calls:
            'Files.readAllBytes Files.readString Files.readAllLines Files.lines Files.newInputStream Files.newOutputStream Files.newBufferedReader Files.newBufferedWriter Files.write Files.writeString Files.delete Files.deleteIfExists Files.createDirectories Files.createDirectory Files.createFile Files.list Files.walk Files.exists Files.copy Files.move FileUtils.readFileToString FileUtils.writeStringToFile FileUtils.copyFile FileUtils.deleteDirectory FileUtils.openInputStream FileUtils.forceMkdir',
          taint: { in: [0, 1], origins: ['remote', 'archive'] },
          when: (call: CallFacts) =>
            call.args[0]?.taint !== undefined ||
            (/copy|move/i.test(call.method) && /^(Path|File)$/.test(refOf(call.args[1]))),
        },
        {
          calls:
            '*.exists *.delete *.mkdir *.mkdirs *.createNewFile *.listFiles *.list *.renameTo *.length *.isFile *.isDirectory *.canRead',
          taint: { in: ['receiver'], origins: ['remote', 'archive'] },
          when: (call: CallFacts) => refOf(call.receiver) === 'File',
        },
        {
          calls: '*.transferTo',
          taint: { in: [0], origins: ['remote'] },
          when: (call: CallFacts) => /^(File|Path)$/.test(refOf(call.args[0])),
        },
        { calls: '*.getResourceAsStream *.getResource', taint: { in: [0], origins: ['remote'] } },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/22.html'],
    examples: {
      bad: [
        servlet('new FileInputStream(new java.io.File("/srv", request.getParameter("f")));'),
        servlet(
          'read(request.getParameter("f"));',
          'byte[] read(String f) throws Exception { return Files.readAllBytes(Paths.get("/srv", f)); }',
        ),
        'class U {\n  void unpack(ZipInputStream in, Path dir) throws IOException {\n    ZipEntry e = in.getNextEntry();\n    Files.copy(in, dir.resolve(e.getName()));\n  }\n}\n',
      ],
      good: [
        servlet('new FileInputStream(new java.io.File("/srv", FilenameUtils.getName(request.getParameter("f"))));'),
        servlet(
          'read(request.getParameter("f"));',
          'byte[] read(String f) throws Exception {\n    Path p = Paths.get("/srv", f).normalize();\n    if (!p.startsWith("/srv")) return null;\n    return Files.readAllBytes(p);\n  }',
        ),
        'class U {\n  void unpack(ZipInputStream in, Path dir) throws IOException {\n    ZipEntry e = in.getNextEntry();\n    Path to = dir.resolve(e.getName()).normalize();\n    if (!to.startsWith(dir)) throw new IOException("outside");\n    Files.copy(in, to);\n  }\n}\n',
      ],
    },
  },
  {
    id: 'java-html-from-request',
    class: 'xss',
    cwe: 79,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of a page as markup, so a script in it runs with the rights of whoever looks at the page. Encode it (Encode.forHtml, HtmlUtils.htmlEscape), or let a template do it.',
    matches: {
      flow: [
        {
          calls: '*.println *.print *.write *.append *.printf *.format',
          taint: { in: [0, 1], origins: ['remote'], shape: 'markup' },
          when: (call: CallFacts) => isWriter(call.receiver) && !isNoPage(call),
        },
        {
          calls: '*.printf *.format',
          taint: { in: [1, 2, 3], origins: ['remote'] },
          when: (call: CallFacts) => isWriter(call.receiver) && !isNoPage(call),
        },
        {
          returns: (value: Value, frame: Frame) => isPage(value, frame),
          taint: { origins: ['remote'], shape: 'markup' },
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        servlet('response.getWriter().println("<p>" + request.getParameter("n") + "</p>");'),
        servlet(
          'PrintWriter out = response.getWriter();\n    out.write(page(request.getParameter("n")));',
          'String page(String n) { return "<b>" + n + "</b>"; }',
        ),
        route('String a(@RequestParam String q)', 'return "<p>" + q + "</p>";'),
      ],
      good: [
        servlet('response.getWriter().println("<p>" + Encode.forHtml(request.getParameter("n")) + "</p>");'),
        servlet(
          'response.setContentType("text/plain");\n    PrintWriter out = response.getWriter();\n    out.write(page(request.getParameter("n")));',
          'String page(String n) { return "<b>" + n + "</b>"; }',
        ),
        route('String a(@RequestParam int q)', 'return "<p>" + q + "</p>";'),
      ],
    },
  },
  {
    id: 'java-request-to-any-host',
    class: 'ssrf',
    cwe: 918,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      "A client decides where this server sends a request, so it reaches what only the server can see: its own network, cloud metadata. Choose the host from a list, and put the client's data into path or query, encoded.",
    matches: {
      flow: [
        {
          calls:
            '*.getForObject *.getForEntity *.postForObject *.postForEntity *.exchange *.patchForObject *.headForHeaders *.postForLocation *.optionsForAllow',
          taint: { in: [0], origins: ['remote'], shape: 'host' },
        },
        {
          calls: '*.openConnection *.openStream *.getContent',
          taint: { in: ['receiver'], origins: ['remote'], shape: 'host' },
        },
        {
          calls: 'HttpGet HttpPost HttpPut HttpDelete HttpHead Socket InetSocketAddress GetMethod PostMethod',
          taint: { in: [0], origins: ['remote'], shape: 'host' },
        },
        {
          calls: '*.uri *.url *.newBuilder',
          taint: { in: [0], origins: ['remote'], shape: 'host' },
          when: (call: CallFacts) =>
            /HttpRequest|WebClient|RestClient|Request|^\?\w*([cC]lient|[bB]uilder)/.test(call.ref),
        },
        {
          calls: 'Jsoup.connect ImageIO.read IOUtils.toString',
          taint: { in: [0], origins: ['remote'], shape: 'host' },
          when: (call: CallFacts) => call.method === 'connect' || refOf(call.args[0]) === 'URL',
        },
      ],
    },
    references: [
      'https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html',
    ],
    examples: {
      bad: [
        route('String a(@RequestParam String u)', 'return new RestTemplate().getForObject(u, String.class);'),
        servlet(
          'open(request.getParameter("u"));',
          'void open(String u) throws Exception { new URL(u).openStream(); }',
        ),
        route(
          'void a(@RequestParam String host)',
          'HttpRequest.newBuilder(URI.create("https://" + host + "/x")).build();',
        ),
      ],
      good: [
        route(
          'String a(@RequestParam String u)',
          'return new RestTemplate().getForObject("https://a.example.org/" + u, String.class);',
        ),
        servlet(
          'open(request.getParameter("u"));',
          'void open(String u) throws Exception { new URL("https://a.example.org/?u=" + u).openStream(); }',
        ),
        route(
          'void a(@RequestParam String host)',
          'if (!Set.of("a.example.org", "b.example.org").contains(host)) return;\n    HttpRequest.newBuilder(URI.create("https://" + host + "/x")).build();',
        ),
      ],
    },
  },
  {
    id: 'java-redirect-anywhere',
    class: 'open-redirect',
    cwe: 601,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A link to this site can lead to any other one, because the place that it sends people on to is taken from the request. Allow only paths of this site, or choose from a list.',
    matches: {
      flow: [
        {
          calls: 'RES.sendRedirect *.sendRedirect RedirectView',
          taint: { in: [0], origins: ['remote'], shape: 'host' },
        },
        {
          calls: 'RES.setHeader RES.addHeader *.location',
          taint: { in: [0, 1], origins: ['remote'], shape: 'host' },
          when: (call: CallFacts) => call.method === 'location' || /^location$/i.test(String(call.args[0]?.constant)),
        },
        { returns: (value: Value) => REDIRECT.test(value.shape ?? ''), taint: { origins: ['remote'] } },
        {
          calls: 'ModelAndView *.setViewName',
          taint: { in: [0], origins: ['remote'] },
          when: (call: CallFacts) => REDIRECT.test(call.args[0]?.shape ?? ''),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Unvalidated_Redirects_and_Forwards_Cheat_Sheet.html'],
    examples: {
      bad: [
        servlet('response.sendRedirect(request.getParameter("to"));'),
        servlet(
          'go(response, request.getParameter("to"));',
          'void go(HttpServletResponse r, String to) throws Exception { r.setHeader("Location", to); }',
        ),
        route('String a(@RequestParam String to)', 'return "redirect:" + to;'),
      ],
      good: [
        servlet('response.sendRedirect("/items/" + request.getParameter("id"));'),
        servlet(
          'go(response, request.getParameter("to"));',
          'void go(HttpServletResponse r, String to) throws Exception { r.setHeader("X-To", to.replaceAll("[^a-z]", "")); }',
        ),
        route('String a(@RequestParam String to)', 'return "redirect:/a?to=" + to;'),
      ],
    },
  },
  {
    id: 'java-deserialize-request',
    class: 'deserialization',
    cwe: 502,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A client sends objects, and making them runs code of its choice in many libraries. Read data with a format of data (JSON into a known class), or set an ObjectInputFilter that names the classes that may come.',
    matches: {
      flow: [
        { calls: 'ObjectInputStream XMLDecoder HessianInput Hessian2Input', taint: { in: [0], origins: ['remote'] } },
        {
          calls: '*.fromXML *.readObject *.load *.loadAs *.deserialize',
          taint: { in: [0, 'receiver'], origins: ['remote'] },
          when: (call: CallFacts) => /XStream|^Yaml$|SerializationUtils|^Kryo$/.test(refOf(call.receiver)),
        },
        { calls: 'SerializationUtils.deserialize', taint: { in: [0], origins: ['remote'] } },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Deserialization_Cheat_Sheet.html'],
    examples: {
      bad: [
        servlet('new ObjectInputStream(request.getInputStream()).readObject();'),
        servlet(
          'read(request.getParameter("o"));',
          'Object read(String o) throws Exception {\n    byte[] b = Base64.getDecoder().decode(o);\n    return new ObjectInputStream(new ByteArrayInputStream(b)).readObject();\n  }',
        ),
        route('Object a(@RequestBody String body)', 'Yaml yaml = new Yaml();\n    return yaml.load(body);'),
      ],
      good: [
        servlet('new ObjectMapper().readValue(request.getInputStream(), A.class);'),
        servlet(
          'read("a.ser");',
          'Object read(String o) throws Exception {\n    return new ObjectInputStream(new FileInputStream(o)).readObject();\n  }',
        ),
        route(
          'Object a(@RequestBody String body)',
          'ObjectMapper m = new ObjectMapper();\n    return m.readTree(body);',
        ),
      ],
    },
  },
  {
    id: 'java-ldap-from-request',
    class: 'ldap-injection',
    cwe: 90,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of an LDAP filter, so `*)(uid=*` finds everybody. Use filter arguments ({0}) or LdapEncoder.filterEncode.',
    matches: {
      flow: [
        {
          calls: '*.search *.searchForContext *.authenticate',
          taint: { in: [0, 1], origins: ['remote'] },
          when: (call: CallFacts) => /Context|[lL]dap|^\?(ctx|idc|dir)/.test(refOf(call.receiver)),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/LDAP_Injection_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        servlet('ctx.search("ou=p", "(uid=" + request.getParameter("u") + ")", null);', 'DirContext ctx;'),
        servlet(
          'find(request.getParameter("u"));',
          'LdapTemplate ldap;\n  void find(String u) { ldap.search("", "(cn=" + u + ")", null); }',
        ),
        servlet(
          'InitialDirContext idc = (InitialDirContext) ctx;\n    idc.search("o=" + request.getHeader("O"), "(a=b)", null);',
          'Object ctx;',
        ),
      ],
      good: [
        servlet('ctx.search("ou=p", "(uid={0})", new Object[] {request.getParameter("u")}, null);', 'DirContext ctx;'),
        servlet(
          'find(LdapEncoder.filterEncode(request.getParameter("u")));',
          'LdapTemplate ldap;\n  void find(String u) { ldap.search("", "(cn=" + u + ")", null); }',
        ),
        servlet(
          'InitialDirContext idc = (InitialDirContext) ctx;\n    idc.search("o=p", "(a=b)", null);\n    log(request.getHeader("O"));',
          'Object ctx;',
        ),
      ],
    },
  },
  {
    id: 'java-xpath-from-request',
    class: 'xpath-injection',
    cwe: 643,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      "Data of a client becomes part of an XPath expression, so `' or '1'='1` selects everything. Use variables of XPath (setXPathVariableResolver), or allow letters and digits only.",
    matches: {
      flow: [
        {
          calls: '*.evaluate *.compile *.selectNodes *.selectSingleNode',
          taint: { in: [0], origins: ['remote'] },
          when: (call: CallFacts) => /XPath|^\?xp|selectNodes|selectSingleNode/i.test(call.ref),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/643.html'],
    examples: {
      bad: [
        servlet(
          'XPath xp = XPathFactory.newInstance().newXPath();\n    xp.evaluate("/u[@n=\'" + request.getParameter("n") + "\']", doc);',
        ),
        servlet(
          'find(request.getParameter("n"));',
          'XPath xp;\n  void find(String n) throws Exception { xp.compile("/u[@n=\'" + n + "\']"); }',
        ),
        servlet('doc.selectNodes("/u[@n=\'" + request.getHeader("N") + "\']");', 'Document doc;'),
      ],
      good: [
        servlet(
          'XPath xp = XPathFactory.newInstance().newXPath();\n    xp.evaluate("/u[@n=\'a\']", request.getParameter("n"));',
        ),
        servlet(
          'find(Integer.parseInt(request.getParameter("n")));',
          'XPath xp;\n  void find(int n) throws Exception { xp.compile("/u[@n=\'" + n + "\']"); }',
        ),
        servlet(
          'doc.selectNodes("/u[@n=\'" + request.getHeader("N").replaceAll("[^a-z]", "") + "\']");',
          'Document doc;',
        ),
      ],
    },
  },
  {
    id: 'java-code-from-request',
    class: 'code-injection',
    cwe: 94,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client is run as an expression with all rights of this program. Do not evaluate what others send; choose from a table by name, and use SimpleEvaluationContext where an expression must be.',
    matches: {
      flow: [
        {
          calls: '*.eval',
          taint: { in: [0], origins: ['remote'] },
          when: (call: CallFacts) => /Script|Engine|MVEL|Shell|Groovy|^\?\w*(engine|script)/i.test(call.ref),
        },
        {
          calls:
            '*.parseExpression *.parseRaw Ognl.getValue Ognl.parseExpression Ognl.setValue MVEL.executeExpression GroovyShell.evaluate *.createValueExpression *.createMethodExpression Class.forName *.loadClass',
          taint: { in: [0, 1], origins: ['remote'] },
        },
        {
          calls: '*.evaluate',
          taint: { in: [0], origins: ['remote'] },
          when: (call: CallFacts) => /Groovy|Shell|Jexl/.test(refOf(call.receiver)),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/94.html'],
    examples: {
      bad: [
        servlet('new ScriptEngineManager().getEngineByName("js").eval(request.getParameter("e"));'),
        servlet(
          'calc(request.getParameter("e"));',
          'Object calc(String e) { return new SpelExpressionParser().parseExpression("#{" + e + "}").getValue(); }',
        ),
        route('Object a(@RequestParam String e)', 'return Ognl.getValue(e, this);'),
      ],
      good: [
        servlet('new ScriptEngineManager().getEngineByName("js").eval("1 + 1");\n    log(request.getParameter("e"));'),
        servlet(
          'calc(request.getParameter("e"));',
          'Object calc(String e) { return new SpelExpressionParser().parseExpression("#root.name").getValue(e); }',
        ),
        route(
          'Object a(@RequestParam String e)',
          'Map<String, String> known = Map.of("a", "name");\n    return Ognl.getValue(known.get(e), this);',
        ),
      ],
    },
  },
  {
    id: 'java-template-from-request',
    class: 'template-injection',
    cwe: 1336,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A client writes the template, and templates of Velocity, FreeMarker and Thymeleaf run code. Keep templates constant and hand data over as values.',
    matches: {
      flow: [
        { calls: 'Velocity.evaluate *.evaluate', taint: { in: [3], origins: ['remote'] } },
        { calls: 'Template', taint: { in: [1], origins: ['remote'] } },
        {
          calls: '*.process',
          taint: { in: [0], origins: ['remote'] },
          when: (call: CallFacts) => /TemplateEngine/i.test(refOf(call.receiver)),
        },
        { calls: '*.putTemplate *.fromString *.createTemplate', taint: { in: [0, 1], origins: ['remote'] } },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/1336.html'],
    examples: {
      bad: [
        servlet('Velocity.evaluate(c, w, "a", request.getParameter("t"));'),
        servlet(
          'show(request.getParameter("t"));',
          'void show(String t) throws Exception { new Template("a", new StringReader(t), conf); }',
        ),
        route(
          'String a(@RequestParam String t)',
          'return templateEngine.process(t, new Context());',
          'TemplateEngine templateEngine;',
        ),
      ],
      good: [
        servlet('Velocity.evaluate(c, w, "a", "$name");\n    log(request.getParameter("t"));'),
        servlet(
          'show(request.getParameter("t"));',
          'void show(String t) throws Exception { new Template("a", new StringReader("${x}"), conf).process(t, w); }',
        ),
        route(
          'String a(@RequestParam String t)',
          'return templateEngine.process("a.html", new Context(t));',
          'TemplateEngine templateEngine;',
        ),
      ],
    },
  },
  {
    id: 'java-trusts-request',
    class: 'trust-boundary',
    cwe: 501,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'What a client sent goes into the session as it is, and whoever reads it there takes it for checked. Check it first, or keep only what the server made.',
    matches: {
      flow: [
        {
          calls: '*.setAttribute *.putValue',
          taint: { in: [0, 1], origins: ['remote'] },
          when: (call: CallFacts) => /getSession\(\)|HttpSession|^\?session$/.test(refOf(call.receiver)),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/501.html'],
    examples: {
      bad: [
        servlet('request.getSession().setAttribute("u", request.getParameter("u"));'),
        servlet(
          'keep(request, request.getHeader("U"));',
          'void keep(HttpServletRequest r, String u) { r.getSession(true).putValue(u, "1"); }',
        ),
        route('void a(HttpSession session, @RequestParam String u)', 'session.setAttribute("u", u);'),
      ],
      good: [
        servlet('request.setAttribute("u", request.getParameter("u"));'),
        servlet(
          'keep(request, Integer.parseInt(request.getHeader("U")));',
          'void keep(HttpServletRequest r, int u) { r.getSession(true).setAttribute("n", u); }',
        ),
        route('void a(HttpSession session, @RequestParam String u)', 'session.setAttribute("u", "guest");'),
      ],
    },
  },
  {
    id: 'java-log-from-request',
    class: 'log-injection',
    cwe: 117,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'A client writes into the log as it likes, so a line break in its data forges entries. Remove line breaks (`replaceAll("[\\r\\n]", "_")`), or write logs as JSON.',
    matches: {
      flow: [
        {
          calls: '*.info *.warn *.error *.debug *.trace *.fatal *.warning *.severe *.fine',
          taint: { in: 'any', origins: ['remote'] },
          when: (call: CallFacts) =>
            /(^|[.?])(Logger|Log|log|logger|LOG|LOGGER)(\(\))?$|getLogger\(\)$|getLog\(\)$/.test(refOf(call.receiver)),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html'],
    examples: {
      bad: [
        servlet(
          'log.info("u " + request.getParameter("u"));',
          'static final Logger log = LoggerFactory.getLogger(S.class);',
        ),
        servlet('note(request.getHeader("U"));', 'Logger logger;\n  void note(String u) { logger.warn("u {}", u); }'),
        route(
          'void a(@RequestParam String u)',
          'log.error(String.format("bad %s", u));',
          'private static final Logger log = LogManager.getLogger();',
        ),
      ],
      good: [
        servlet(
          'log.info("u " + request.getParameter("u").replaceAll("[\\r\\n]", "_"));',
          'static final Logger log = LoggerFactory.getLogger(S.class);',
        ),
        servlet(
          'note(Integer.parseInt(request.getHeader("U")));',
          'Logger logger;\n  void note(int u) { logger.warn("u {}", u); }',
        ),
        route(
          'void a(@RequestParam long u)',
          'log.error(String.format("bad %s", u));',
          'private static final Logger log = LogManager.getLogger();',
        ),
      ],
    },
  },
];

/** What a handler gives back as the body of an answer. */
function isPage(value: Value, { fn, module }: Frame): boolean {
  const isRoute =
    fn?.decorators.some((mark) =>
      /Mapping$/.test(
        mark.k === 'call' && mark.callee.k === 'name' ? mark.callee.name : mark.k === 'name' ? mark.name : '',
      ),
    ) === true;
  return isRoute && value.shape?.includes('<') === true && /@RestController|@ResponseBody/.test(module.text);
}
