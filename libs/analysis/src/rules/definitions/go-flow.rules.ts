import type { CallFacts } from '../../flow/engine.js';
import type { Value } from '../../flow/value.js';
import type { RuleDefinition } from '../rule.js';

const LANGUAGES = ['go'] as const;
const refOf = (value: Value | undefined): string => value?.ref ?? '';
const isContext = (value: Value | undefined): boolean =>
  /ctx|context|Background|TODO/i.test(refOf(value)) && value?.shape === undefined;
const SHELL = /(^|\/)((ba|z|da|k|a|fi)?sh|cmd(\.exe)?|powershell(\.exe)?|pwsh|env|sudo|xargs)$/i;

/** A shell, with the word that makes it read the next one as a program. */
const runsShell = ({ args }: CallFacts): boolean =>
  args.some((one) => typeof one.constant === 'string' && SHELL.test(one.constant)) &&
  args.some((one) => typeof one.constant === 'string' && /^(-\w*c|\/c|-Command|-EncodedCommand)$/i.test(one.constant));

/** Whether the answer is said to be no page. */
function isNoPage({ frame }: CallFacts): boolean {
  const { fn, module } = frame;
  const text = fn ? module.text.slice(fn.start, fn.end) : module.text;
  return /Content-Type"\s*,\s*"(?!text\/html)[\w.+-]+\/[\w.+-]+|\.Header\(\)\.Set\("Content-Disposition/i.test(text);
}

const WRITERS = /^(RES|GIN\.Writer|ECHO\.Response\(\)(\.Writer)?)$/;

const handler = (imports: string, body: string, more = ''): string =>
  `package main\n\nimport (\n${['net/http', ...imports.split(' ').filter(Boolean)].map((one) => `\t"${one}"`).join('\n')}\n)\n${more}\nfunc handle(w http.ResponseWriter, r *http.Request) {\n\t${body}\n}\n`;

/** Data of others that reaches what runs, reads, sends or shows it, in Go. */
export const GO_FLOW_RULES: readonly RuleDefinition[] = [
  {
    id: 'go-sql-from-request',
    class: 'sql-injection',
    cwe: 89,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of the text of a query, so the client decides what the query does: reads other rows, changes or deletes them. Send it as a parameter (`?`, `$1`) and keep the text constant; choose columns and directions from a table.',
    matches: {
      flow: [
        {
          calls: '*.Query *.QueryRow *.Exec *.Prepare *.Queryx *.MustExec *.NamedQuery *.NamedExec *.Preparex',
          taint: { in: [0], shape: 'sql' },
          when: (call: CallFacts) => !/^(GIN|ECHO|FIBER|REQ)/.test(refOf(call.receiver)),
        },
        {
          calls:
            '*.QueryContext *.QueryRowContext *.ExecContext *.PrepareContext *.QueryxContext *.QueryRowxContext *.NamedExecContext *.SendBatch',
          taint: { in: [1], shape: 'sql' },
        },
        {
          calls: '*.Query *.QueryRow *.Exec *.Prepare',
          taint: { in: [1], shape: 'sql' },
          when: (call: CallFacts) => isContext(call.args[0]),
        },
        { calls: '*.GetContext *.SelectContext', taint: { in: [2], shape: 'sql' } },
        {
          calls: '*.Select *.Get',
          taint: { in: [1], shape: 'sql' },
          when: (call: CallFacts) =>
            /sqlx|database\/sql|db$/i.test(refOf(call.receiver)) && call.args[1]?.shape?.includes(' ') === true,
        },
        {
          calls: '*.Raw *.Having *.Joins *.Order *.Group *.Distinct *.Pluck',
          taint: { in: [0] },
          when: (call: CallFacts) => /gorm|db|tx|query|orm/i.test(refOf(call.receiver)),
        },
        {
          calls: '*.Where *.Or *.Not *.Select',
          taint: { in: [0], shape: 'built' },
          when: (call: CallFacts) => /gorm|db|tx|query|orm/i.test(refOf(call.receiver)) && isText(call),
        },
        {
          calls: '*.Delete *.First *.Find *.Last *.Take',
          taint: { in: [1], shape: 'built' },
          when: (call: CallFacts) => /gorm|db|tx|query|orm/i.test(refOf(call.receiver)) && isText(call),
        },
        {
          calls: 'gorm.io/gorm.Expr github.com/jinzhu/gorm.Expr github.com/Masterminds/squirrel.Expr',
          taint: { in: [0] },
        },
      ],
    },
    references: ['https://go.dev/doc/database/sql-injection'],
    examples: {
      bad: [
        handler('database/sql', 'db.Query("SELECT * FROM u WHERE id = " + r.FormValue("id"))', 'var db *sql.DB\n'),
        handler(
          'database/sql fmt',
          'find(r.URL.Query().Get("n"))',
          'var db *sql.DB\nfunc find(n string) {\n\tq := fmt.Sprintf("SELECT * FROM u WHERE n = \'%s\'", n)\n\tdb.QueryRow(q)\n}\n',
        ),
        'package main\n\nimport "github.com/gin-gonic/gin"\n\nfunc h(c *gin.Context) {\n\tdb.Order(c.Query("sort")).Find(&users)\n}\n',
      ],
      good: [
        handler('database/sql', 'db.Query("SELECT * FROM u WHERE id = ?", r.FormValue("id"))', 'var db *sql.DB\n'),
        handler(
          'database/sql fmt strconv',
          'n, err := strconv.Atoi(r.FormValue("n"))\n\tif err != nil {\n\t\treturn\n\t}\n\tfind(n)',
          'var db *sql.DB\nfunc find(n int) {\n\tq := fmt.Sprintf("SELECT * FROM u LIMIT %d", n)\n\tdb.QueryRow(q)\n}\n',
        ),
        'package main\n\nimport "github.com/gin-gonic/gin"\n\nvar columns = map[string]string{"n": "name"}\n\nfunc h(c *gin.Context) {\n\tdb.Order(columns[c.Query("sort")]).Find(&users)\n}\n',
      ],
    },
  },
  {
    id: 'go-command-from-request',
    class: 'command-injection',
    cwe: 78,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of others decides which program runs, or becomes part of a line that a shell reads, so `; rm -rf /` is run too. Name the program as a constant, call it without a shell, and hand data over as single arguments.',
    matches: {
      flow: [
        { calls: 'os/exec.Command syscall.Exec os.StartProcess syscall.ForkExec', taint: { in: [0], shape: 'start' } },
        { calls: 'os/exec.CommandContext', taint: { in: [1], shape: 'start' } },
        {
          calls: 'os/exec.Command os/exec.CommandContext syscall.Exec os.StartProcess',
          taint: { in: 'any' },
          when: runsShell,
        },
        {
          calls: 'os/exec.Command os/exec.CommandContext',
          taint: { in: 'any', origins: ['caller'], shape: 'built' },
          when: runsShell,
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/OS_Command_Injection_Defense_Cheat_Sheet.html'],
    examples: {
      bad: [
        handler('os/exec', 'exec.Command(r.FormValue("cmd")).Run()'),
        handler(
          'os/exec',
          'ping(r.FormValue("host"))',
          'func ping(host string) {\n\texec.Command("sh", "-c", "ping "+host).Run()\n}\n',
        ),
        'package main\n\nimport (\n\t"os"\n\t"os/exec"\n)\n\nfunc main() {\n\texec.Command("bash", "-c", os.Args[1]).Run()\n}\n',
      ],
      good: [
        handler('os/exec', 'exec.Command("ls", r.FormValue("dir")).Run()'),
        handler(
          'os/exec',
          'ping(r.FormValue("host"))',
          'func ping(host string) {\n\texec.Command("ping", "-c", "1", host).Run()\n}\n',
        ),
        'package main\n\nimport "os/exec"\n\nfunc main() {\n\tline := "ls " + "-l"\n\texec.Command("bash", "-c", line).Run()\n}\n',
      ],
    },
  },
  {
    id: 'go-path-from-request',
    class: 'path-traversal',
    cwe: 22,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Somebody else names the file, so `../../etc/passwd` leaves the folder that was meant; filepath.Clean and filepath.Join do not prevent it. Use os.Root or filepath.IsLocal, take filepath.Base of the name, or refuse what does not stay in the folder.',
    matches: {
      flow: [
        {
          calls:
            'os.Open os.OpenFile os.Create os.ReadFile os.WriteFile os.Remove os.RemoveAll os.Mkdir os.MkdirAll os.Rename os.ReadDir os.Chmod os.Chown os.Truncate os.Symlink os.Link io/ioutil.ReadFile io/ioutil.WriteFile io/ioutil.ReadDir os.DirFS archive/zip.OpenReader',
          taint: { in: [0, 1], origins: ['remote', 'archive'] },
          when: (call: CallFacts) => call.args[0]?.taint !== undefined || /\.(Rename|Symlink|Link)$/.test(call.ref),
        },
        { calls: 'net/http.ServeFile', taint: { in: [2], origins: ['remote'] } },
        {
          calls: 'GIN.File GIN.FileAttachment ECHO.File ECHO.Attachment ECHO.Inline FIBER.SendFile FIBER.Download',
          taint: { in: [0], origins: ['remote'] },
        },
        { calls: 'GIN.SaveUploadedFile FIBER.SaveFile', taint: { in: [1], origins: ['remote'] } },
      ],
    },
    references: ['https://go.dev/blog/osroot'],
    examples: {
      bad: [
        handler('os path/filepath', 'os.ReadFile(filepath.Join("/srv", r.FormValue("f")))'),
        handler(
          'os',
          'read(r.PathValue("f"))',
          'func read(name string) ([]byte, error) {\n\treturn os.ReadFile("/srv/" + name)\n}\n',
        ),
        'package main\n\nimport (\n\t"archive/zip"\n\t"os"\n\t"path/filepath"\n)\n\nfunc unpack(z *zip.Reader, dir string) {\n\tfor _, f := range z.File {\n\t\tos.Create(filepath.Join(dir, f.Name))\n\t}\n}\n',
      ],
      good: [
        handler('os path/filepath', 'os.ReadFile(filepath.Join("/srv", filepath.Base(r.FormValue("f"))))'),
        `package main\n\nimport (\n\t"embed"\n\t"net/http"\n)\n\nvar assets embed.FS\n\nfunc serve(w http.ResponseWriter, r *http.Request) {\n\tassets.ReadFile(r.FormValue("f"))\n}\n`,
        handler(
          'os path/filepath',
          'name := r.PathValue("f")\n\tif !filepath.IsLocal(name) {\n\t\treturn\n\t}\n\tread(name)',
          'func read(name string) ([]byte, error) {\n\treturn os.ReadFile("/srv/" + name)\n}\n',
        ),
        'package main\n\nimport (\n\t"archive/zip"\n\t"os"\n\t"path/filepath"\n\t"strings"\n)\n\nfunc unpack(z *zip.Reader, dir string) {\n\tfor _, f := range z.File {\n\t\tif strings.Contains(f.Name, "..") {\n\t\t\tcontinue\n\t\t}\n\t\tos.Create(filepath.Join(dir, f.Name))\n\t}\n}\n',
      ],
    },
  },
  {
    id: 'go-request-to-any-host',
    class: 'ssrf',
    cwe: 918,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      "A client decides where this server sends a request, so it reaches what only the server can see: its own network, cloud metadata. Choose the host from a list, and put the client's data into path or query, escaped.",
    matches: {
      flow: [
        {
          calls: 'net/http.Get net/http.Post net/http.Head net/http.PostForm',
          taint: { in: [0], origins: ['remote'], shape: 'host' },
        },
        { calls: 'net/http.NewRequest', taint: { in: [1], origins: ['remote'], shape: 'host' } },
        { calls: 'net/http.NewRequestWithContext', taint: { in: [2], origins: ['remote'], shape: 'host' } },
        {
          calls: 'net.Dial net.DialTimeout crypto/tls.Dial net/rpc.Dial',
          taint: { in: [1], origins: ['remote'], shape: 'host' },
        },
        {
          calls: '*.Get *.Post *.Head *.PostForm',
          taint: { in: [0], origins: ['remote'], shape: 'host' },
          when: (call: CallFacts) =>
            /net\/http\.(Default)?Client|resty|http[cC]lient|\.R\(\)/.test(refOf(call.receiver)),
        },
        { calls: 'net/http/httputil.NewSingleHostReverseProxy', taint: { in: [0], origins: ['remote'] } },
      ],
    },
    references: [
      'https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html',
    ],
    examples: {
      bad: [
        handler('', 'http.Get(r.FormValue("url"))'),
        handler(
          'fmt',
          'load(r.FormValue("host"))',
          'func load(host string) {\n\treq, _ := http.NewRequest("GET", fmt.Sprintf("https://%s/x", host), nil)\n\thttp.DefaultClient.Do(req)\n}\n',
        ),
        'package main\n\nimport (\n\t"net/http"\n\n\t"github.com/gofiber/fiber/v2"\n)\n\nfunc h(c *fiber.Ctx) error {\n\t_, err := http.Post(c.Query("hook"), "text/plain", nil)\n\treturn err\n}\n',
      ],
      good: [
        handler('net/url', 'http.Get("https://api.example.org/?q=" + url.QueryEscape(r.FormValue("q")))'),
        handler(
          'fmt',
          'load(r.FormValue("id"))',
          'func load(id string) {\n\treq, _ := http.NewRequest("GET", fmt.Sprintf("https://api.example.org/%s", id), nil)\n\thttp.DefaultClient.Do(req)\n}\n',
        ),
        'package main\n\nimport (\n\t"net/http"\n\n\t"github.com/gofiber/fiber/v2"\n)\n\nvar hooks = map[string]string{"a": "https://a.example.org"}\n\nfunc h(c *fiber.Ctx) error {\n\t_, err := http.Post(hooks[c.Query("hook")], "text/plain", nil)\n\treturn err\n}\n',
      ],
    },
  },
  {
    id: 'go-redirect-anywhere',
    class: 'open-redirect',
    cwe: 601,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A link to this site can lead to any other one, because the place that it sends people on to is taken from the request. Allow only paths of this site (one "/" at the start and no second one), or choose from a list.',
    matches: {
      flow: [
        {
          calls: 'net/http.Redirect',
          taint: { in: [2], origins: ['remote'], shape: 'host' },
          when: (call: CallFacts) => !isOwnAddress(call.args[2]),
        },
        { calls: 'GIN.Redirect ECHO.Redirect', taint: { in: [1], origins: ['remote'], shape: 'host' } },
        { calls: 'FIBER.Redirect', taint: { in: [0], origins: ['remote'], shape: 'host' } },
        {
          calls: '*.Set *.Add',
          taint: { in: [1], origins: ['remote'], shape: 'host' },
          when: (call: CallFacts) =>
            /^RES\.Header\(\)/.test(refOf(call.receiver)) && /^location$/i.test(String(call.args[0]?.constant)),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Unvalidated_Redirects_and_Forwards_Cheat_Sheet.html'],
    examples: {
      bad: [
        handler('', 'http.Redirect(w, r, r.FormValue("next"), 302)'),
        handler(
          '',
          'onward(w, r, r.URL.Query().Get("next"))',
          'func onward(w http.ResponseWriter, r *http.Request, to string) {\n\thttp.Redirect(w, r, to, 302)\n}\n',
        ),
        handler('', 'w.Header().Set("Location", r.Header.Get("Referer"))\n\tw.WriteHeader(302)'),
      ],
      good: [
        handler('', 'http.Redirect(w, r, "/items/"+r.FormValue("id"), 302)'),
        handler(
          '',
          'next := r.URL.Query().Get("next")\n\tif next != "/a" && next != "/b" {\n\t\tnext = "/"\n\t}\n\tonward(w, r, next)',
          'func onward(w http.ResponseWriter, r *http.Request, to string) {\n\thttp.Redirect(w, r, to, 302)\n}\n',
        ),
        handler('', 'w.Header().Set("Location", "/login")\n\tw.WriteHeader(302)'),
      ],
    },
  },
  {
    id: 'go-html-from-request',
    class: 'xss',
    cwe: 79,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of a page as markup, so a script in it runs with the rights of whoever looks at the page. Render it with html/template, which escapes by place, or escape it (html.EscapeString).',
    matches: {
      flow: [
        {
          calls: '*.Write *.WriteString',
          taint: { in: [0], origins: ['remote'], shape: 'markup' },
          when: (call: CallFacts) => WRITERS.test(refOf(call.receiver)) && !isNoPage(call),
        },
        {
          calls: 'html/template.HTML html/template.JS html/template.HTMLAttr html/template.URL html/template.CSS',
          taint: { in: [0], origins: ['remote'] },
        },
        { calls: 'ECHO.HTML ECHO.HTMLBlob', taint: { in: [1], origins: ['remote'], shape: 'markup' } },
        {
          calls: 'GIN.Data ECHO.Blob',
          taint: { in: [2], origins: ['remote'], shape: 'markup' },
          when: (call: CallFacts) => /html/.test(String(call.args[1]?.constant ?? '')),
        },
        {
          calls: '*.Execute *.ExecuteTemplate',
          taint: { in: [1, 2], origins: ['remote'] },
          when: (call: CallFacts) =>
            /^text\/template\b/.test(refOf(call.receiver)) && refOf(call.args[0]) === 'RES' && !isNoPage(call),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        handler('fmt', 'fmt.Fprintf(w, "<p>%s</p>", r.FormValue("n"))'),
        handler(
          '',
          'w.Write([]byte(page(r.FormValue("n"))))',
          'func page(n string) string {\n\treturn "<p>" + n + "</p>"\n}\n',
        ),
        'package main\n\nimport (\n\t"html/template"\n\n\t"github.com/gin-gonic/gin"\n)\n\nfunc h(c *gin.Context) {\n\tc.HTML(200, "a.html", gin.H{"body": template.HTML(c.Query("body"))})\n}\n',
      ],
      good: [
        handler('fmt html', 'fmt.Fprintf(w, "<p>%s</p>", html.EscapeString(r.FormValue("n")))'),
        handler(
          '',
          'w.Header().Set("Content-Type", "text/plain")\n\tw.Write([]byte(page(r.FormValue("n"))))',
          'func page(n string) string {\n\treturn "<p>" + n + "</p>"\n}\n',
        ),
        'package main\n\nimport "github.com/gin-gonic/gin"\n\nfunc h(c *gin.Context) {\n\tc.HTML(200, "a.html", gin.H{"body": c.Query("body")})\n}\n',
      ],
    },
  },
  {
    id: 'go-template-from-request',
    class: 'template-injection',
    cwe: 1336,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A client writes the template, so it calls every function and reads every field that the template may use. Keep templates constant and hand data over as values.',
    matches: {
      flow: [
        {
          calls: '*.Parse',
          taint: { in: [0], origins: ['remote'] },
          when: (call: CallFacts) => /template\.(New|Must|Template)/.test(refOf(call.receiver)),
        },
        {
          calls: '*.FromString github.com/flosch/pongo2.FromString github.com/hoisie/mustache.Render',
          taint: { in: [0], origins: ['remote'] },
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/1336.html'],
    examples: {
      bad: [
        handler('text/template', 't, _ := template.New("a").Parse(r.FormValue("t"))\n\tt.Execute(w, nil)'),
        handler(
          'html/template',
          'render(w, "<p>" + r.FormValue("t") + "</p>")',
          'func render(w http.ResponseWriter, text string) {\n\tt := template.Must(template.New("a").Parse(text))\n\tt.Execute(w, nil)\n}\n',
        ),
        'package main\n\nimport (\n\t"html/template"\n\n\t"github.com/labstack/echo/v4"\n)\n\nfunc h(c echo.Context) error {\n\tt, err := template.New("m").Funcs(nil).Parse(c.FormValue("mail"))\n\t_ = t\n\treturn err\n}\n',
      ],
      good: [
        handler('text/template', 't, _ := template.New("a").Parse("<p>{{.}}</p>")\n\tt.Execute(nil, r.FormValue("t"))'),
        handler(
          'html/template',
          'render(w, r.FormValue("t"))',
          'func render(w http.ResponseWriter, text string) {\n\tt := template.Must(template.New("a").Parse("{{.}}"))\n\tt.Execute(w, text)\n}\n',
        ),
        'package main\n\nimport (\n\t"net/url"\n\n\t"github.com/labstack/echo/v4"\n)\n\nfunc h(c echo.Context) error {\n\tu, err := url.Parse(c.FormValue("mail"))\n\t_ = u\n\treturn err\n}\n',
      ],
    },
  },
  {
    id: 'go-log-from-request',
    class: 'log-injection',
    cwe: 117,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'A client writes into the log as it likes, so a line break in its data forges entries. Quote it (`%q`), log it as a field of a structured logger, or remove line breaks.',
    matches: {
      flow: [
        {
          calls: '*.Print *.Println *.Info *.Infoln *.Warn *.Warning *.Error *.Debug *.Fatal *.Fatalln *.Panic',
          taint: { in: 'any', origins: ['remote'] },
          when: (call: CallFacts) =>
            /^(log|github\.com\/(sirupsen\/logrus|golang\/glog))(\.|$)|^\?\w*log(ger)?\b|log\.Logger/i.test(
              refOf(call.receiver),
            ) && !/slog|zap|zerolog/.test(refOf(call.receiver)),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html'],
    examples: {
      bad: [
        handler('log', 'log.Printf("user %s", r.FormValue("u"))'),
        handler('log', 'note(r.Header.Get("X-Id"))', 'func note(id string) {\n\tlog.Println("id", id)\n}\n'),
        'package main\n\nimport (\n\t"github.com/gin-gonic/gin"\n\t"github.com/sirupsen/logrus"\n)\n\nfunc h(c *gin.Context) {\n\tlogrus.Warn("bad key " + c.Query("key"))\n}\n',
      ],
      good: [
        handler('log', 'log.Printf("user %q", r.FormValue("u"))'),
        handler(
          'log strconv',
          'n, _ := strconv.Atoi(r.Header.Get("X-Id"))\n\tnote(n)',
          'func note(id int) {\n\tlog.Println("id", id)\n}\n',
        ),
        'package main\n\nimport (\n\t"log/slog"\n\n\t"github.com/gin-gonic/gin"\n)\n\nfunc h(c *gin.Context) {\n\tslog.Warn("bad key", "key", c.Query("key"))\n}\n',
      ],
    },
  },
];

const isText = (call: CallFacts): boolean => call.args.some((one) => one.shape !== undefined);

/** The path of the request itself, as middlewares that add a slash send it on. */
const isOwnAddress = (value: Value | undefined): boolean =>
  /^REQ\.(URL\.(Path|EscapedPath|RequestURI|String)|RequestURI)/.test(refOf(value));
