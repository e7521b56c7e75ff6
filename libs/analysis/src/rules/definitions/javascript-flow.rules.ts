import type { CallFacts } from '../../flow/engine.js';
import type { Frame, Value } from '../../flow/value.js';
import { argument } from '../flow-match.js';
import type { RuleDefinition } from '../rule.js';

const LANGUAGES = ['javascript', 'typescript', 'tsx'] as const;
const DATABASE =
  /(^|[.?_])(\w*(db|database|conn|connection|pool|client|cursor|sql|mysql|pg|postgres|sqlite|knex|sequelize|prisma|session|query_?runner|manager|entityManager|repo|repository|dataSource|tx|trx|transaction|orm|store)\w*)(\(\)|\[\])?$/i;

/** Data of others that reaches what runs, reads, sends or shows it, in JavaScript and TypeScript. */
export const JAVASCRIPT_FLOW_RULES: readonly RuleDefinition[] = [
  {
    id: 'js-sql-from-request',
    class: 'sql-injection',
    cwe: 89,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of the text of a query, so the client decides what the query does: reads other rows, changes or deletes them. Send it as a parameter (`?`, `$1`, a replacement) and keep the text constant.',
    matches: {
      flow: [
        {
          calls:
            '*.query *.execute *.raw *.exec *.run *.all *.each *.prepare *.$queryRawUnsafe *.$executeRawUnsafe *.whereRaw *.orderByRaw *.havingRaw *.joinRaw *.fromRaw *.unsafe *.queryRaw *.simpleQuery',
          taint: { in: [0, 'sql', 'text'], shape: 'sql' },
          when: (call: CallFacts) =>
            /Raw|raw|Unsafe|unsafe|prepare/.test(call.method) ||
            call.args[0]?.shape?.includes(' ') === true ||
            DATABASE.test(call.receiver.ref ?? ''),
        },
        {
          calls: 'sequelize.literal Sequelize.literal *.literal typeorm.Raw',
          taint: { in: [0] },
          when: (call: CallFacts) => /sequelize|Raw/i.test(call.ref),
        },
        {
          calls: '*.where *.andWhere *.orWhere *.having *.orderBy',
          taint: { in: [0], shape: 'built' },
          when: (call: CallFacts) => /createQueryBuilder|[qQ](b|ueryBuilder)\b|builder/i.test(call.ref),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        "app.get('/u', (req, res) => { db.query('SELECT * FROM u WHERE id = ' + req.query.id); });",
        "const sqlOf = (name) => `select * from u where name = '${name}'`;\nexport function f(req, res) { pool.query(sqlOf(req.body.name)); }",
        "export async function f(req, res) { const { id } = req.params; await prisma.$queryRawUnsafe('select * from u where id = ' + id); }",
      ],
      good: [
        "app.get('/u', (req, res) => { db.query('SELECT * FROM u WHERE id = ?', [req.query.id]); });",
        "const sqlOf = (name) => `select * from u where name = '${name}'`;\nexport function f(req, res) { pool.query(sqlOf('admin')); }",
        "export async function f(req, res) { const id = Number(req.params.id); await prisma.$queryRawUnsafe('select * from u where id = ' + id); }",
      ],
    },
  },
  {
    id: 'js-command-from-request',
    class: 'command-injection',
    cwe: 78,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of others becomes part of a command line that a shell reads, so `; rm -rf /` is run too. Call execFile or spawn with a fixed program and a list of arguments, and check what the program takes for an option.',
    matches: {
      flow: [
        {
          calls:
            'child_process.exec child_process.execSync shelljs.exec child-process-promise.exec execa.command execa.commandSync execa.execaCommand execa.execaCommandSync node-cmd.run node-cmd.get node-cmd.runSync exec-sh',
          taint: { in: [0] },
        },
        {
          calls: 'child_process.exec child_process.execSync shelljs.exec',
          taint: { in: [0], origins: ['caller'], shape: 'built' },
        },
        {
          calls:
            'child_process.spawn child_process.spawnSync child_process.execFile child_process.execFileSync child_process.fork cross-spawn execa execa.execa',
          taint: { in: [0], origins: ['remote'] },
        },
        {
          calls:
            'child_process.spawn child_process.spawnSync child_process.execFile child_process.execFileSync cross-spawn',
          taint: { in: [0, 1], origins: ['remote', 'local', 'caller'] },
          when: (call: CallFacts) => {
            const shell = argument(call, 'shell');
            const program = call.args[0]?.constant;
            const runs =
              typeof program === 'string' &&
              /(^|\/)(sh|bash|zsh|cmd|cmd\.exe|powershell)$/.test(program) &&
              /^\/?-?c$/.test(String(call.args[1]?.items?.[0]?.constant ?? ''));
            return shell?.constant === true || typeof shell?.constant === 'string' || runs;
          },
        },
        {
          calls: '*.exec',
          taint: { in: [0], shape: 'any' },
          when: (call: CallFacts) =>
            /^\??(ssh|conn|ssh2)\b|ssh2?\.Client|child_?process|shell|childProcess|\bcp\.exec/i.test(call.ref),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/OS_Command_Injection_Defense_Cheat_Sheet.html'],
    examples: {
      bad: [
        "const { exec } = require('child_process');\nmodule.exports = (req, res) => exec('ping ' + req.query.host);",
        "import { execSync } from 'node:child_process';\nfunction run(name) { return execSync(`ls ${name}`); }\nexport const f = (req, res) => res.json(run(req.body.name));",
        "const cp = require('child_process');\napp.post('/x', (req, res) => { cp.spawn('sh', ['-c', 'ls ' + req.body.dir]); });",
      ],
      good: [
        "const { execFile } = require('child_process');\nmodule.exports = (req, res) => execFile('ping', [req.query.host]);",
        "import { execSync } from 'node:child_process';\nfunction run(name) { return execSync(`ls ${name}`); }\nconst f = (req, res) => res.json(run('docs'));",
        "const cp = require('child_process');\napp.post('/x', (req, res) => { cp.spawn('sh', ['-c', 'ls -l']); });",
      ],
    },
  },
  {
    id: 'js-code-from-request',
    class: 'code-injection',
    cwe: 95,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of others is run as code with all rights of this program. Parse it as data (JSON.parse), or choose from a table of functions by name.',
    matches: {
      flow: [
        {
          calls:
            'eval Function vm.runInThisContext vm.runInNewContext vm.runInContext vm.Script vm.compileFunction setTimeout setInterval execScript window.eval global.eval globalThis.eval safe-eval static-eval vm2.VM().run',
          taint: { in: [0, 1, 2] },
        },
        {
          calls: 'eval Function window.eval vm.runInThisContext vm.runInNewContext',
          taint: { in: [0, 1], origins: ['caller'] },
        },
        { calls: 'require import', taint: { in: [0], origins: ['remote'] } },
        {
          calls: '*.executeJavaScript *.evaluate *.$eval *.addScriptTag',
          taint: { in: [0], shape: 'any' },
          when: (call: CallFacts) =>
            call.args[0]?.closures === undefined && /page|webContents|frame|browser/i.test(call.ref),
        },
        // A schema of Ajv becomes code.
        { calls: 'ajv().compile ajv().validate ajv.default().compile', taint: { in: [0], origins: ['remote'] } },
        { calls: '*.runInContext *.runInNewContext *.runInThisContext', taint: { in: [0] } },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/95.html'],
    examples: {
      bad: [
        'export const f = (req, res) => res.json(eval(req.body.formula));',
        "app.get('/x', (req, res) => { const run = new Function('a', req.query.code); res.json(run(1)); });",
        "const vm = require('vm');\nconst run = (code) => vm.runInNewContext(code);\nmodule.exports = (req, res) => res.json(run(req.body.code));",
      ],
      good: [
        'export const f = (req, res) => res.json(JSON.parse(req.body.formula));',
        "app.get('/x', (req, res) => { const run = new Function('a', 'return a + 1'); res.json(run(req.query.n)); });",
        "const vm = require('vm');\nconst run = (code) => vm.runInNewContext(code);\nconst f = (req, res) => res.json(run('1 + 1'));",
      ],
    },
  },
  {
    id: 'js-path-from-request',
    class: 'path-traversal',
    cwe: 22,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A client names the file, so `../../etc/passwd` leaves the folder that was meant. Take the base name, or resolve the path and refuse it unless it begins with the folder and a separator.',
    matches: {
      flow: [
        {
          calls: [
            'readFile',
            'readFileSync',
            'writeFile',
            'writeFileSync',
            'appendFile',
            'appendFileSync',
            'createReadStream',
            'createWriteStream',
            'unlink',
            'unlinkSync',
            'rm',
            'rmSync',
            'rmdir',
            'readdir',
            'readdirSync',
            'stat',
            'statSync',
            'open',
            'openSync',
            'access',
            'accessSync',
            'exists',
            'existsSync',
            'mkdir',
            'mkdirSync',
            'rename',
            'renameSync',
            'copyFile',
            'copyFileSync',
            'lstat',
            'lstatSync',
            'readJson',
            'readJsonSync',
            'outputFile',
            'remove',
            'removeSync',
            'symlink',
            'chmod',
            'readlink',
            'truncate',
          ]
            .flatMap((name) => [`fs.${name}`, `fs.promises.${name}`, `fs-extra.${name}`, `graceful-fs.${name}`])
            .join(' '),
          taint: { in: [0, 1], origins: ['remote'] },
          when: (call: CallFacts) => call.args[0]?.taint !== undefined || /rename|copy|symlink/.test(call.method),
        },
        {
          calls: '*.sendFile *.sendfile *.download *.sendFileSync',
          taint: { in: [0], origins: ['remote'] },
          when: (call: CallFacts) => argument(call, 'root') === undefined && call.args[0]?.closures === undefined,
        },
        {
          calls: '*.render',
          taint: { in: [0], origins: ['remote'], shape: 'any' },
          when: (call: CallFacts) => call.receiver.ref === 'RES',
        },
        { calls: '*.mv *.extractAllTo *.extractEntryTo', taint: { in: [0], origins: ['remote'] } },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/22.html'],
    examples: {
      bad: [
        "const fs = require('fs');\napp.get('/f', (req, res) => fs.readFile('/data/' + req.query.f, (e, d) => res.end(d)));",
        "import fs from 'node:fs';\nimport path from 'node:path';\nconst at = (name) => path.join('/data', name);\nexport const f = (req, res) => fs.createReadStream(at(req.params.name)).pipe(res);",
        "app.get('/f', (req, res) => { const { name } = req.query; res.sendFile('/data/' + name); });",
      ],
      good: [
        "const fs = require('fs');\nconst path = require('path');\napp.get('/f', (req, res) => fs.readFile('/data/' + path.basename(req.query.f), (e, d) => res.end(d)));",
        "import fs from 'node:fs';\nimport path from 'node:path';\nexport const f = (req, res) => { const p = path.resolve('/data', req.params.name); if (!p.startsWith('/data/')) return res.sendStatus(400); fs.createReadStream(p).pipe(res); };",
        "app.get('/f', (req, res) => { const { name } = req.query; res.sendFile(name, { root: '/data' }); });",
      ],
    },
  },
  {
    id: 'js-archive-entry-path',
    class: 'path-traversal',
    cwe: 22,
    severity: 'high',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'The name of an entry of an archive becomes a path as it is, so an archive with `../` in it writes anywhere. Resolve the path and refuse it unless it stays in the folder.',
    matches: {
      flow: [
        {
          calls: 'fs.createWriteStream fs.writeFile fs.writeFileSync fs.promises.writeFile',
          when: (call: CallFacts) => {
            const text = call.frame.module.text.slice(call.node.start, call.node.end);
            const body = call.frame.module.text.slice(Math.max(0, call.node.start - 600), call.node.start);
            return (
              /\b(entry|file|header|zipEntry)\.(path|fileName|entryName|name)\b/.test(text) &&
              /unzip|tar|yauzl|adm-zip|zip/i.test(call.frame.module.text.slice(0, 2000)) &&
              !/startsWith|indexOf|basename|relative\(/.test(body + text)
            );
          },
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/22.html'],
    examples: {
      bad: [
        "const fs = require('fs');\nconst unzip = require('unzip');\nfs.createReadStream('a.zip').pipe(unzip.Parse()).on('entry', (entry) => { entry.pipe(fs.createWriteStream(entry.path)); });",
        "const fs = require('fs');\nconst unzipper = require('unzipper');\nparser.on('entry', (entry) => { entry.pipe(fs.createWriteStream('out/' + entry.path)); });",
        "import fs from 'node:fs';\nimport AdmZip from 'adm-zip';\nfor (const entry of new AdmZip('a.zip').getEntries()) fs.writeFileSync('out/' + entry.entryName, entry.getData());",
      ],
      good: [
        "const fs = require('fs');\nconst path = require('path');\nconst unzip = require('unzip');\nfs.createReadStream('a.zip').pipe(unzip.Parse()).on('entry', (entry) => { if (entry.path.indexOf('..') === -1) entry.pipe(fs.createWriteStream(entry.path)); });",
        "const fs = require('fs');\nconst path = require('path');\nconst unzipper = require('unzipper');\nparser.on('entry', (entry) => { entry.pipe(fs.createWriteStream('out/' + path.basename(entry.path))); });",
        "import fs from 'node:fs';\nimport AdmZip from 'adm-zip';\nfor (const entry of new AdmZip('a.zip').getEntries()) fs.writeFileSync('out/list.txt', 'x');",
      ],
    },
  },
  {
    id: 'js-html-from-request',
    class: 'xss',
    cwe: 79,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of a page as markup, so a script in it runs with the rights of whoever looks at the page. Escape it, let a template escape it, or send it as JSON or text.',
    matches: {
      flow: [
        {
          calls: '*.send *.end *.write',
          taint: { in: [0], shape: 'markup' },
          when: (call: CallFacts) => isPage(call),
        },
        {
          // Express calls a text HTML.
          calls: '*.send',
          taint: { in: [0], shape: 'built' },
          when: (call: CallFacts) => isPage(call) && !/fastify|restify/i.test(call.frame.module.text),
        },
        {
          returns: (value: Value, frame: Frame) => value.shape !== undefined && isHandlerOfNest(frame),
          taint: { shape: 'markup', origins: ['remote'] },
        },
        {
          returns: (value: Value) => isPageOfCloud(value),
          taint: { shape: 'any', origins: ['remote'] },
        },
        { assigns: 'CTX.body', taint: { shape: 'markup' } },
        {
          calls: '*.html',
          taint: { in: [0], shape: 'any' },
          when: (call: CallFacts) => /^CTX|\$\(|jquery/i.test(call.receiver.ref ?? ''),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        "app.get('/', (req, res) => { res.send('<h1>' + req.query.name + '</h1>'); });",
        'const page = (name) => `<p>${name}</p>`;\nexport const f = (req, res) => res.end(page(req.params.name));',
        "app.get('/', (req, res) => { const { name } = req.query; res.write(`Hello <b>${name}</b>`); res.end(); });",
      ],
      good: [
        "import escapeHtml from 'escape-html';\napp.get('/', (req, res) => { res.send('<h1>' + escapeHtml(req.query.name) + '</h1>'); });",
        'const page = (name) => `<p>${name}</p>`;\nexport const f = (req, res) => res.end(page(Number(req.params.name)));',
        "app.get('/', (req, res) => { const { name } = req.query; res.json({ hello: name }); });",
      ],
    },
  },
  {
    id: 'js-html-in-page',
    class: 'xss',
    cwe: 79,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data from outside of the page becomes markup of it, so a script in it runs. Set textContent, build elements, or clean it with DOMPurify.',
    matches: {
      flow: [
        { assigns: '*.innerHTML *.outerHTML *.srcdoc', taint: {} },
        {
          calls:
            'document.write document.writeln *.insertAdjacentHTML *.createContextualFragment *.setHTMLUnsafe *.parseHTML',
          taint: { in: [0, 1] },
        },
        {
          calls: '*.html *.append *.prepend *.after *.before *.replaceWith $ jQuery',
          taint: { in: [0] },
          when: (call: CallFacts) =>
            /^\??(\$|jQuery)/i.test(call.ref) || call.ref.includes('$(') || call.ref.startsWith('$'),
        },
        { attribute: 'dangerouslySetInnerHTML', taint: {} },
        {
          calls:
            '*.bypassSecurityTrustHtml *.bypassSecurityTrustScript *.bypassSecurityTrustUrl *.bypassSecurityTrustResourceUrl *.bypassSecurityTrustStyle',
          when: (call: CallFacts) => call.args[0]?.constant === undefined,
        },
        { attribute: 'href', taint: { shape: 'start' } },
      ],
    },
    fix: {
      description: 'Write it as text',
      apply: 'text-content',
      safe: "Only where what is written is a sentence without markup, or a part of the page's address: it looks the same, and markup that somebody puts into an address is the attack itself. Everything else is left to people.",
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/DOM_based_XSS_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        "document.getElementById('a').innerHTML = location.hash.slice(1);",
        "const show = (text) => { document.body.innerHTML = text; };\nshow(new URLSearchParams(window.location.search).get('q'));",
        "window.addEventListener('message', (e) => { document.write(e.data); });",
      ],
      good: [
        "document.getElementById('a').textContent = location.hash.slice(1);",
        "import DOMPurify from 'dompurify';\nconst show = (text) => { document.body.innerHTML = DOMPurify.sanitize(text); };\nshow(new URLSearchParams(window.location.search).get('q'));",
        "window.addEventListener('message', (e) => { document.title = e.data; });",
      ],
    },
  },
  {
    id: 'js-raw-html-of-value',
    class: 'xss',
    cwe: 79,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'A value becomes markup as it is: if a script can get into it, it runs in the page. Render it as text, or clean it with DOMPurify before.',
    matches: {
      flow: [
        {
          attribute: 'dangerouslySetInnerHTML',
          when: (value: Value) => {
            const html = value.fields?.get('__html') ?? value;
            return (
              html.constant === undefined &&
              !/saniti|purif|escape|JSON|highlight|markdown/i.test(html.ref ?? '') &&
              html.shape === undefined &&
              (html.ref ?? '').startsWith('?')
            );
          },
        },
        { assigns: '*.innerHTML *.outerHTML', taint: { origins: ['caller'] } },
        { calls: 'document.write document.writeln', taint: { in: [0], origins: ['caller'] } },
      ],
    },
    references: ['https://react.dev/reference/react-dom/components/common#dangerously-setting-the-inner-html'],
    examples: {
      bad: [
        {
          language: 'tsx',
          code: 'export function A({ html }) { return <div dangerouslySetInnerHTML={{ __html: html }} />; }',
        },
        'export function show(node, html) { node.innerHTML = html; }',
        'export function show(html) { document.write("<p>" + html); }',
      ],
      good: [
        {
          language: 'tsx',
          code: "import DOMPurify from 'dompurify';\nexport function A({ html }) { return <div dangerouslySetInnerHTML={{ __html: DOMPurify.sanitize(html) }} />; }",
        },
        'export function show(node, html) { node.textContent = html; }',
        'export function show(html) { document.write("<p>hello"); }',
      ],
    },
  },
  {
    id: 'js-request-to-any-host',
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
            'fetch node-fetch node-fetch.default cross-fetch axios axios.get axios.post axios.put axios.patch axios.delete axios.head axios.request axios.default.get axios.create().get axios.create().post got got.get got.post got.default got.stream request request.get request.post request.put request-promise request-promise.get request-promise-native superagent.get superagent.post needle needle.get needle.post http.get https.get http.request https.request undici.request undici.fetch undici.stream bent ky ky.get ky.post urllib.request phin download wretch unirest.get unirest.post follow-redirects.http.get follow-redirects.https.get node-libcurl.Curl isomorphic-fetch ofetch.$fetch net.connect net.createConnection dns.lookup ws WebSocket',
          taint: {
            in: [0, 'url', 'uri', 'baseURL', 'host', 'hostname', 'baseUrl'],
            shape: 'host',
            origins: ['remote'],
          },
        },
        {
          calls: '*.goto',
          taint: { in: [0], shape: 'host', origins: ['remote'] },
          when: (call: CallFacts) => /page|puppeteer|playwright|browser|newPage/i.test(call.ref),
        },
        {
          calls: '*.get *.post *.put *.patch *.delete *.request *.axiosRef',
          taint: { in: [0], shape: 'host', origins: ['remote'] },
          when: (call: CallFacts) => /https?Service|httpClient|axios|\bgot\b|agent\b/i.test(call.receiver.ref ?? ''),
        },
      ],
    },
    references: [
      'https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html',
    ],
    examples: {
      bad: [
        "app.get('/p', async (req, res) => { const r = await fetch(req.query.url); res.send(await r.text()); });",
        "import axios from 'axios';\nconst load = (url) => axios.get(url);\nexport const f = (req, res) => load(req.body.url).then((r) => res.json(r.data));",
        "const http = require('http');\nmodule.exports = (req, res) => { http.get('http://' + req.query.host + '/status', () => res.end()); };",
      ],
      good: [
        "app.get('/p', async (req, res) => { const r = await fetch('https://api.example.com/' + encodeURIComponent(req.query.id)); res.send(await r.text()); });",
        "import axios from 'axios';\nconst HOSTS = { a: 'https://a.example', b: 'https://b.example' };\nconst load = (url) => axios.get(url);\nexport const f = (req, res) => load(HOSTS[req.body.host]).then((r) => res.json(r.data));",
        "const http = require('http');\nconst ALLOWED = ['a.example'];\nmodule.exports = (req, res) => { if (!ALLOWED.includes(req.query.host)) return res.end(); http.get('http://' + req.query.host + '/status', () => res.end()); };",
      ],
    },
  },
  {
    id: 'js-redirect-to-request',
    class: 'open-redirect',
    cwe: 601,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A client decides where people are sent, so a link to this site can lead to one that steals their passwords. Choose from a list of places, or take only a path that begins with one "/".',
    matches: {
      flow: [
        {
          calls: '*.redirect',
          taint: { in: [0, 1], shape: 'host' },
          when: (call: CallFacts) =>
            /^(RES|CTX)|NextResponse|reply|^\?(res|response)|navigation|Response/.test(call.receiver.ref ?? '') ||
            call.receiver.ref === undefined,
        },
        { calls: 'next/navigation.redirect next/navigation.permanentRedirect', taint: { in: [0], shape: 'host' } },
        {
          calls: '*.location',
          taint: { in: [0], shape: 'host' },
          when: (call: CallFacts) => call.receiver.ref === 'RES',
        },
        {
          calls: '*.setHeader *.header *.set *.append',
          taint: { in: [1], shape: 'host' },
          when: (call: CallFacts) => /^location$/i.test(String(call.args[0]?.constant ?? '')),
        },
        { calls: '*.writeHead', taint: { in: ['Location', 'location'], shape: 'host' } },
        {
          // `@Redirect()` of Nest sends to what the method gives.
          returns: (value: Value, frame: Frame) =>
            value.fields?.get('url')?.taint !== undefined && hasMark(frame, /^Redirect$/),
          taint: { shape: 'any', origins: ['remote'] },
        },
        {
          assigns:
            'location.href window.location window.location.href document.location document.location.href location self.location top.location parent.location',
          taint: { shape: 'host' },
        },
        {
          calls:
            'location.assign location.replace window.location.assign window.location.replace window.open document.location.replace',
          taint: { in: [0], shape: 'host' },
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Unvalidated_Redirects_and_Forwards_Cheat_Sheet.html'],
    examples: {
      bad: [
        "app.get('/l', (req, res) => res.redirect(req.query.next));",
        'const go = (res, to) => res.redirect(302, to);\nexport const f = (req, res) => go(res, req.body.to);',
        "window.location.href = new URLSearchParams(location.search).get('next');",
      ],
      good: [
        "app.get('/l', (req, res) => res.redirect('/users/' + req.query.id));",
        "const PLACES = new Map([['a', '/a']]);\nexport const f = (req, res) => res.redirect(302, PLACES.get(req.body.to));",
        "window.location.href = '/search?q=' + encodeURIComponent(new URLSearchParams(location.search).get('q'));",
      ],
    },
  },
  {
    id: 'js-filter-from-request',
    class: 'nosql-injection',
    cwe: 943,
    severity: 'high',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'A client can send an object where a text is meant (`password[$ne]=1`), and the database takes it for an operator. Make it a text with String(...), or check the body against a schema.',
    matches: {
      flow: [
        {
          calls:
            '*.find *.findOne *.findOneAndUpdate *.findOneAndDelete *.findOneAndRemove *.findOneAndReplace *.update *.updateOne *.updateMany *.deleteOne *.deleteMany *.remove *.count *.countDocuments *.exists *.distinct *.replaceOne *.aggregate',
          taint: { in: [0], shape: 'structured' },
          when: (call: CallFacts) =>
            call.args[0]?.closures === undefined &&
            !['where', 'include', 'data', 'attributes'].some((key) => call.args[0]?.fields?.has(key)) &&
            !/prisma|[rR]epo(sitory)?\b|array|list|items|createH(ash|mac)|create(Sign|Verify|Cipher)/.test(call.ref) &&
            !/typeorm|sequelize|prisma/.test(call.frame.module.text.slice(0, 3000)),
        },
        { calls: '*.find *.findOne *.$where *.where', taint: { in: ['$where'] } },
        { calls: '*.$where', taint: { in: [0] } },
        { calls: '*.mapReduce *.group', taint: { in: [0, 1] } },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Injection_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        "app.post('/l', async (req, res) => res.json(await User.findOne({ name: req.body.name })));",
        "export const f = (req, res) => db.collection('u').find({ $where: 'this.age > ' + req.params.age }).toArray();",
        "app.post('/l', async (req, res) => { const filter = req.query; res.json(await User.find(filter)); });",
      ],
      good: [
        "app.post('/l', async (req, res) => res.json(await User.findOne({ name: String(req.body.name) })));",
        "export const f = (req, res) => db.collection('u').find({ age: { $gt: Number(req.query.age) } }).toArray();",
        "app.post('/l', async (req, res) => { if (typeof req.body.name !== 'string') return res.sendStatus(400); res.json(await User.findOne({ name: req.body.name })); });",
      ],
    },
  },
  {
    id: 'js-template-from-request',
    class: 'template-injection',
    cwe: 1336,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes the text of a template, and templates can run code on this server. Keep the template constant and hand the data over as a value.',
    matches: {
      flow: [
        {
          calls:
            'pug.compile pug.render jade.compile jade.render ejs.render ejs.compile handlebars.compile handlebars.precompile Handlebars.compile nunjucks.renderString nunjucks.compile mustache.render Mustache.render lodash.template _.template underscore.template dot.template dot.compile hogan.js.compile eta.render eta.compile swig.render velocityjs.render twig.twig squirrelly.render liquidjs.Liquid().parseAndRender marko.load art-template.render',
          taint: { in: [0, 'data'] },
          when: (call: CallFacts) => call.args[0]?.taint !== undefined,
        },
        { calls: '*.renderString *.parseAndRender', taint: { in: [0] } },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/1336.html'],
    examples: {
      bad: [
        "const pug = require('pug');\napp.get('/', (req, res) => res.send(pug.render('p ' + req.query.name)));",
        "import Handlebars from 'handlebars';\nexport const f = (req, res) => res.send(Handlebars.compile(req.body.template)({}));",
        "const nunjucks = require('nunjucks');\nconst show = (text) => nunjucks.renderString(text, {});\nmodule.exports = (req, res) => res.send(show(req.query.t));",
      ],
      good: [
        "const pug = require('pug');\napp.get('/', (req, res) => res.send(pug.render('p= name', { name: req.query.name })));",
        "import Handlebars from 'handlebars';\nexport const f = (req, res) => res.send(Handlebars.compile('<p>{{a}}</p>')(req.body));",
        "const nunjucks = require('nunjucks');\nconst show = (text) => nunjucks.renderString('Hi {{ t }}', { t: text });\nmodule.exports = (req, res) => res.send(show(req.query.t));",
      ],
    },
  },
  {
    id: 'js-header-from-request',
    class: 'header-injection',
    cwe: 113,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'A client decides a header of the answer: with line ends in it where they are let through, or as an origin, a type or a host that others trust. Choose the value from known ones.',
    matches: {
      flow: [
        {
          calls: '*.setHeader *.header *.set *.append',
          taint: { in: [0] },
          when: (call: CallFacts) => /^(RES|CTX)/.test(call.receiver.ref ?? '') && call.args.length >= 2,
        },
        {
          calls: '*.setHeader *.header *.set *.append',
          taint: { in: [1], shape: 'any' },
          when: (call: CallFacts) =>
            /^(RES|CTX)/.test(call.receiver.ref ?? '') &&
            !/^(location|access-control-allow-origin|content-length|etag|vary)$/i.test(
              String(call.args[0]?.constant ?? ''),
            ),
        },
        {
          calls: '*.writeHead',
          taint: { in: [1, 2] },
          when: (call: CallFacts) => call.receiver.ref === 'RES' && call.args.at(-1)?.fields?.has('Location') !== true,
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/113.html'],
    examples: {
      bad: [
        "app.get('/', (req, res) => { res.setHeader('X-Name', req.query.name); res.end(); });",
        "const mark = (res, name) => res.set('X-Name', name);\nexport const f = (req, res) => mark(res, req.body.name);",
        "app.get('/', (req, res) => { res.setHeader(req.query.name, '1'); res.end(); });",
      ],
      good: [
        "app.get('/', (req, res) => { res.setHeader('X-Name', encodeURIComponent(req.query.name)); res.end(); });",
        "const mark = (res, name) => res.set('X-Name', name);\nexport const f = (req, res) => mark(res, 'b');",
        "app.get('/', (req, res) => { res.setHeader('X-Count', Number(req.query.count)); res.end(); });",
      ],
    },
  },
  {
    id: 'js-log-from-request',
    class: 'log-injection',
    cwe: 117,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Data of a client is written into the log as it is, so with line ends in it a client writes lines of its own. Log it as a field of a structured entry, or take out line ends.',
    matches: {
      flow: [
        {
          calls: 'console.log console.info console.warn console.error console.debug',
          taint: { in: [0, 1, 2], origins: ['remote'] },
          when: (call: CallFacts) =>
            [call.args[0], call.args[1]].some(
              (one) => one?.taint !== undefined && one.fields === undefined && !isErrorText(one.ref),
            ),
        },
        {
          calls: '*.info *.warn *.error *.debug *.log',
          taint: { in: [0], origins: ['remote'], shape: 'built' },
          when: (call: CallFacts) => /log/i.test(call.receiver.ref ?? ''),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html'],
    examples: {
      bad: [
        "app.get('/', (req, res) => { console.log('user ' + req.query.name); res.end(); });",
        'const note = (text) => console.info(`saw ${text}`);\nexport const f = (req, res) => note(req.body.name);',
        "import { logger } from './logger.js';\nexport const f = (req, res) => { logger.info(`login of ${req.body.name}`); };",
      ],
      good: [
        "app.get('/', (req, res) => { console.log('user ' + encodeURIComponent(req.query.name)); res.end(); });",
        'const note = (text) => console.info(`saw ${text}`);\nexport const f = (req, res) => note(Number(req.body.name));',
        "import { logger } from './logger.js';\nexport const f = (req, res) => { logger.info('login', { name: req.body.name }); };",
      ],
    },
  },
  {
    id: 'js-pattern-from-request',
    class: 'regex-dos',
    cwe: 1333,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A client decides a regular expression, and some take minutes for a short text: this process answers nobody meanwhile. Escape the text, or compare without an expression.',
    matches: {
      flow: [
        { calls: 'RegExp', taint: { in: [0], origins: ['remote'] } },
        {
          calls: '*.match *.search',
          taint: { in: [0] },
          when: (call: CallFacts) =>
            call.args[0]?.taint !== undefined &&
            /^(REQ|CTX)?$/.test(call.receiver.ref ?? '') &&
            call.args[0].regex === undefined &&
            call.args.length === 1 &&
            call.receiver.taint === undefined,
        },
      ],
    },
    references: ['https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS'],
    examples: {
      bad: [
        "app.get('/', (req, res) => { res.json(list.filter((x) => new RegExp(req.query.q).test(x))); });",
        'const like = (text) => new RegExp(`^${text}`, "i");\nexport const f = (req, res) => res.json(like(req.body.q).test("a"));',
        'export const f = (req, res) => { const { q } = req.query; const re = RegExp(q); res.json(re.test("a")); };',
      ],
      good: [
        "import { escapeRegExp } from 'lodash';\napp.get('/', (req, res) => { res.json(list.filter((x) => new RegExp(escapeRegExp(req.query.q)).test(x))); });",
        'const like = (text) => new RegExp(`^${text}`, "i");\nconst f = (req, res) => res.json(like("a").test(req.body.q));',
        'export const f = (req, res) => { const { q } = req.query; res.json("a".includes(q)); };',
      ],
    },
  },
  {
    id: 'js-deserialize-request',
    class: 'deserialization',
    cwe: 502,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client is turned into objects by something that can run code while it does. Use JSON.parse, or the safe schema of the YAML library.',
    matches: {
      flow: [
        {
          calls:
            'node-serialize.unserialize serialize-to-js.deserialize funcster.deepDeserialize cryo.parse js-yaml.loadAll v8.deserialize serialijse.deserialize php-serialize.unserialize *.unserialize',
          taint: { in: [0], origins: ['remote', 'local', 'caller'] },
        },
        {
          calls: 'js-yaml.load',
          taint: { in: [0] },
          when: (call: CallFacts) =>
            /DEFAULT_FULL|js-yaml-js-types|UNSAFE/.test(call.frame.module.text.slice(call.node.start, call.node.end)),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Deserialization_Cheat_Sheet.html'],
    examples: {
      bad: [
        "const serialize = require('node-serialize');\napp.post('/', (req, res) => res.json(serialize.unserialize(req.body.data)));",
        "const { unserialize } = require('node-serialize');\nconst read = (text) => unserialize(text);\nmodule.exports = (req, res) => res.json(read(req.cookies.profile));",
        "import serialize from 'node-serialize';\nexport const f = (req, res) => { const text = Buffer.from(req.cookies.p, 'base64').toString(); serialize.unserialize(text); };",
      ],
      good: [
        "app.post('/', (req, res) => res.json(JSON.parse(req.body.data)));",
        "const { serialize } = require('node-serialize');\nmodule.exports = (req, res) => res.json(serialize(req.cookies.profile));",
        "import serialize from 'node-serialize';\nexport const f = (req, res) => { serialize.unserialize('{}'); };",
      ],
    },
  },
  {
    id: 'js-xml-with-entities',
    class: 'xxe',
    cwe: 611,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The XML parser resolves external entities, so a document can read files of this machine and reach its network. Leave entities alone (no `noent`).',
    matches: {
      flow: [
        {
          calls: '*.parseXml *.parseXmlString *.parseXmlAsync *.parseString',
          when: (call: CallFacts) =>
            argument(call, 'noent')?.constant === true || argument(call, 'replaceEntities')?.constant === true,
        },
        {
          calls: '*.DOMParser *.SaxParser *.SaxPushParser node-expat.Parser',
          when: (call: CallFacts) => /libxmljs|expat/.test(call.ref) && argument(call, 'noent')?.constant === true,
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/XML_External_Entity_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        "const libxml = require('libxmljs');\nmodule.exports = (req, res) => res.json(libxml.parseXmlString(req.body.xml, { noent: true }));",
        "import libxml from 'libxmljs';\nconst options = { noent: true, noblanks: true };\nexport const parse = (text) => libxml.parseXml(text, options);",
        "const { parseXml } = require('libxmljs2');\nfunction read(text, options) { return parseXml(text, options); }\nmodule.exports = (text) => read(text, { noent: true });",
      ],
      good: [
        "const libxml = require('libxmljs');\nmodule.exports = (req, res) => res.json(libxml.parseXmlString(req.body.xml, { noent: false }));",
        "import libxml from 'libxmljs';\nconst options = { noblanks: true };\nexport const parse = (text) => libxml.parseXml(text, options);",
        "const { parseXml } = require('libxmljs2');\nmodule.exports = (text) => parseXml(text);",
      ],
    },
  },
  {
    id: 'js-ldap-filter-from-request',
    class: 'ldap-injection',
    cwe: 90,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of an LDAP filter, so `*)(uid=*` changes what is asked. Build the filter from objects, or escape the value.',
    matches: {
      flow: [
        {
          calls: '*.search *.searchAsync',
          taint: { in: ['filter', 1] },
          when: (call: CallFacts) => argument(call, 'filter') !== undefined,
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/LDAP_Injection_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        "app.post('/l', (req, res) => { client.search('ou=u', { filter: '(uid=' + req.body.name + ')' }, () => {}); });",
        'const filterOf = (name) => `(uid=${name})`;\nexport const f = (req, res) => client.search("ou=u", { filter: filterOf(req.query.name) });',
        "app.post('/l', (req, res) => { const options = { scope: 'sub', filter: `(cn=${req.body.cn})` }; client.search('ou=u', options); });",
      ],
      good: [
        "app.post('/l', (req, res) => { client.search('ou=u', { filter: '(uid=' + ldapEscape(req.body.name) + ')' }, () => {}); });",
        'const filterOf = (name) => `(uid=${name})`;\nexport const f = (req, res) => client.search("ou=u", { filter: filterOf("root") });',
        "app.post('/l', (req, res) => { const options = { scope: 'sub', filter: '(cn=a)' }; client.search('ou=u', options); });",
      ],
    },
  },
  {
    id: 'js-xpath-from-request',
    class: 'xpath-injection',
    cwe: 643,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of an XPath expression, so the client decides which nodes are chosen. Use variables of the expression, or compare in code.',
    matches: {
      flow: [
        {
          calls:
            'xpath.select xpath.select1 xpath.evaluate xpath.parse xpath.selectWithResolver document.evaluate *.evaluate *.xpath',
          taint: { in: [0], shape: 'any' },
          when: (call: CallFacts) => /xpath|document|doc\b|xml/i.test(call.ref),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/643.html'],
    examples: {
      bad: [
        "const xpath = require('xpath');\napp.get('/', (req, res) => res.json(xpath.select(\"//u[@n='\" + req.query.n + \"']\", doc)));",
        "import xpath from 'xpath';\nconst byName = (n) => `//u[@n='${n}']`;\nexport const f = (req, res) => res.json(xpath.select(byName(req.body.n), doc));",
        "import { select1 } from 'xpath';\nexport const f = (req, res) => { const { n } = req.query; res.json(select1('//' + n, doc)); };",
      ],
      good: [
        "const xpath = require('xpath');\napp.get('/', (req, res) => res.json(xpath.select('//u', doc)));",
        "import xpath from 'xpath';\nconst byName = (n) => `//u[@n='${n}']`;\nexport const f = (req, res) => res.json(xpath.select(byName(Number(req.body.n)), doc));",
        "import { select1 } from 'xpath';\nexport const f = (req, res) => { const { n } = req.query; res.json(select1('//a', doc), n); };",
      ],
    },
  },
  {
    id: 'js-format-from-request',
    class: 'format-string',
    cwe: 134,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Data of a client is the format of a message with further arguments, so `%s` in it changes what is written. Make the format constant and hand the data over as an argument.',
    matches: {
      flow: [
        {
          calls: 'console.log console.error console.warn console.info util.format',
          taint: { in: [0], shape: 'built', origins: ['remote', 'caller'] },
          when: (call: CallFacts) => call.args.length >= 2,
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/134.html'],
    examples: {
      bad: [
        "app.get('/', (req, res) => { console.error('failed: ' + req.query.name, new Error('x')); res.end(); });",
        "import util from 'node:util';\nexport const f = (req, res) => res.json(util.format(`user ${req.body.name}`, 1));",
        'const note = (name, e) => console.log(`for ${name}`, e);\nexport const f = (req, res) => note(req.params.name, 1);',
      ],
      good: [
        "app.get('/', (req, res) => { console.error('failed: %s', req.query.name, new Error('x')); res.end(); });",
        "import util from 'node:util';\nexport const f = (req, res) => res.json(util.format('user %s', req.body.name));",
        "const note = (name, e) => console.log(`for ${name}`, e);\nconst f = () => note('a', 1);",
      ],
    },
  },
];

/** Whether what is sent is taken for a page: not where a type says otherwise, and not as all of an object. */
function isPage({ receiver, args, frame, node }: CallFacts): boolean {
  const around = frame.module.text.slice(Math.max(0, node.start - 300), node.end);
  return (
    /^RES(\.|$)/.test(receiver.ref ?? '') &&
    !WHOLE.test(args[0]?.ref ?? '') &&
    !/setHeader\([^)]*(json|plain)|\.type\(['"](text\/plain|json|csv|application|text['"])|contentType\(/i.test(around)
  );
}

const hasMark = ({ fn }: Frame, pattern: RegExp): boolean =>
  fn?.decorators.some((mark) => mark.k === 'call' && mark.callee.k === 'name' && pattern.test(mark.callee.name)) ===
  true;

const isHandlerOfNest = (frame: Frame): boolean =>
  hasMark(frame, /^(Get|Post|Put|Patch|Delete|All)$/) && /@nestjs\/common/.test(frame.module.text);

/** The answer of a function in a cloud: `{ statusCode, headers: { 'content-type': 'text/html' }, body }`. */
function isPageOfCloud(value: Value): boolean {
  const body = value.fields?.get('body');
  const headers = [...(value.fields?.get('headers')?.fields ?? [])];
  return (
    body?.taint !== undefined &&
    (body.shape === undefined || body.shape.includes('<')) &&
    value.fields?.has('statusCode') === true &&
    headers.some(([name, one]) => /^content-type$/i.test(name) && /html/.test(String(one.constant ?? '')))
  );
}

/** All of a part of the request: an object, which is sent as JSON. */
const WHOLE = /^(REQ|CTX\.request)\.(query|body|params|headers|cookies|files)$/;
const isErrorText = (ref: string | undefined): boolean => ref !== undefined && ref.startsWith('ERROR');
