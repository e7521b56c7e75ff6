import type { RuleDefinition } from '../rule.js';

const SQL_METHODS = [
  'query',
  'execute',
  'raw',
  'queryRawUnsafe',
  '$queryRawUnsafe',
  '$executeRawUnsafe',
  'executemany',
  'executescript',
  'fetch',
  'fetchrow',
  'fetchval',
  'all',
  'get',
  'run',
  'exec',
  'prepare',
  'mogrify',
  'text',
];

const QUOTES_SHELL =
  /(^|\.)(shlex\.(quote|join)|pipes\.quote|shell-quote\.quote|shellQuote|shellescape|escapeShellArg|list2cmdline)$/;

/** What a request is read by; without one of these words a file has none. */
const REQUEST_WORD =
  /\b(params|query|body|headers|cookies|files|originalUrl|request)\b|@[\w.]+\.(route|get|post|put|patch|delete|websocket)\b/;

/** Code that is made from text and then run: SQL, shell, the language itself. */
export const INJECTION_RULES: readonly RuleDefinition[] = [
  {
    id: 'sql-built-from-text',
    class: 'sql-injection',
    cwe: 89,
    severity: 'critical',
    confidence: 'high',
    languages: ['typescript', 'javascript', 'tsx', 'python'],
    message:
      'This SQL is put together from values, so whoever chooses them can read or change any table. Pass the values as parameters of the query, and take names of columns from a fixed list.',
    matches: [
      {
        find: { any: [{ kind: 'call_expression' }, { kind: 'call' }] },
        where: [
          { callee: SQL_METHODS.map((method) => `*.${method}`).concat('sqlalchemy.text', 'text') },
          {
            argument: ['sql', 'text', 'query', 'statement', 0],
            is: { built: 'sql', unless: /(^|\.)(escapeIdentifier|escapeId|quote_ident|Identifier)$/ },
          },
        ],
        needs:
          /["'`](\s|\\n|\()*(select|insert\s+into|delete\s+from|update|with|replace\s+into|merge|drop|alter|truncate|create)\b/i,
        at: ['sql', 'text', 'query', 'statement', 0],
      },
    ],
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        "async function f(db, name) { return db.query(`SELECT * FROM users WHERE name = '${name}'`); }",
        "const find = (db, id) => { const sql = 'SELECT * FROM t WHERE id = ' + id; return db.execute(sql); };",
        "function f(pool, a) { let q = 'DELETE FROM t WHERE '; q += `a = '${a}'`; return pool.query({ text: q }); }",
        {
          language: 'python',
          code: 'def f(cur, name):\n    cur.execute(f"SELECT * FROM users WHERE name = \'{name}\'")\n',
        },
        {
          language: 'python',
          code: 'def f(cur, name):\n    sql = "SELECT * FROM users WHERE name = \'%s\'" % name\n    cur.execute(sql)\n',
        },
        { language: 'python', code: 'def f(cur, n):\n    cur.execute("UPDATE t SET n = {} WHERE id = 1".format(n))\n' },
      ],
      good: [
        "async function f(db, name) { return db.query('SELECT * FROM users WHERE name = $1', [name]); }",
        "const COLUMNS = 'id, name';\nasync function f(db, id) { return db.query(`SELECT ${COLUMNS} FROM users WHERE id = $1`, [id]); }",
        "const ORDER = { a: 'name ASC', b: 'name DESC' };\nconst f = (db, o) => db.query(`SELECT * FROM t ORDER BY ${ORDER[o]}`);",
        "const f = (db, ids) => db.query(`SELECT * FROM t WHERE id IN (${ids.map((_, i) => `$${i + 1}`).join(', ')})`, ids);",
        'const f = (sql, id) => sql`SELECT * FROM t WHERE id = ${id}`;',
        'const f = (db, n) => db.query(`SELECT * FROM t LIMIT ${Number(n)}`);',
        {
          language: 'python',
          code: 'def f(cur, name):\n    cur.execute("SELECT * FROM users WHERE name = %s", (name,))\n',
        },
        {
          language: 'python',
          code: 'def f(cur, ids):\n    marks = ", ".join(["%s"] * len(ids))\n    cur.execute(f"SELECT * FROM t WHERE id IN ({marks})", ids)\n',
        },
        {
          language: 'python',
          code: 'TABLE = "users"\ndef f(cur, n):\n    cur.execute(f"SELECT * FROM {TABLE} LIMIT {int(n)}")\n',
        },
      ],
    },
  },
  {
    id: 'js-shell-command-from-text',
    class: 'command-injection',
    cwe: 78,
    severity: 'critical',
    confidence: 'high',
    languages: ['typescript', 'javascript', 'tsx'],
    message:
      'This shell command is put together from values, so whoever chooses them can run any program. Call the program with a list of arguments and no shell (execFile, spawn).',
    matches: [
      {
        find: { kind: 'call_expression' },
        where: [
          { callee: ['child_process.exec', 'child_process.execSync'] },
          { argument: 0, is: { built: 'any', unless: QUOTES_SHELL } },
        ],
      },
      {
        find: { kind: 'call_expression' },
        where: [
          {
            callee: [
              'child_process.spawn',
              'child_process.spawnSync',
              'child_process.execFile',
              'child_process.execFileSync',
            ],
          },
          { predicate: 'runs-in-shell' },
          {
            any: [
              [{ argument: 0, is: { built: 'any', unless: QUOTES_SHELL } }],
              [{ argument: 1, is: { built: 'any', unless: QUOTES_SHELL } }],
            ],
          },
        ],
      },
    ],
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/OS_Command_Injection_Defense_Cheat_Sheet.html'],
    examples: {
      bad: [
        "import { exec } from 'node:child_process';\nexport const f = (dir) => exec(`ls ${dir}`);",
        "const cp = require('child_process');\nfunction f(name) { cp.execSync('rm -r ' + name); }",
        "import { exec as run } from 'child_process';\nimport { promisify } from 'util';\nconst sh = promisify(run);\nexport const f = (x) => sh(`git log ${x}`);",
        "import { spawn } from 'node:child_process';\nexport const f = (x) => spawn(`convert ${x}`, { shell: true });",
      ],
      good: [
        "import { execFile } from 'node:child_process';\nexport const f = (dir) => execFile('ls', [dir]);",
        "const cp = require('child_process');\nfunction f() { cp.execSync('git ' + 'status'); }",
        'const pattern = /a/;\nexport const f = (text) => pattern.exec(`x${text}`);',
        "import { spawn } from 'node:child_process';\nexport const f = (x) => spawn('convert', [x]);",
      ],
    },
  },
  {
    id: 'py-shell-command-from-text',
    class: 'command-injection',
    cwe: 78,
    severity: 'critical',
    confidence: 'high',
    languages: ['python'],
    message:
      'This shell command is put together from values, so whoever chooses them can run any program. Pass a list of arguments without shell=True, or quote each value with shlex.quote.',
    matches: [
      {
        find: { kind: 'call' },
        where: [
          {
            callee: [
              'subprocess.run',
              'subprocess.call',
              'subprocess.check_call',
              'subprocess.check_output',
              'subprocess.Popen',
              'asyncio.create_subprocess_shell',
            ],
          },
          { any: [[{ predicate: 'runs-in-shell' }], [{ callee: ['asyncio.create_subprocess_shell'] }]] },
          { argument: [0, 'args', 'cmd'], is: { built: 'any', unless: QUOTES_SHELL } },
        ],
      },
      {
        find: { kind: 'call' },
        where: [
          {
            callee: [
              'os.system',
              'os.popen',
              'subprocess.getoutput',
              'subprocess.getstatusoutput',
              'commands.getoutput',
            ],
          },
          { argument: [0, 'command', 'cmd'], is: { built: 'any', unless: QUOTES_SHELL } },
        ],
      },
    ],
    references: ['https://docs.python.org/3/library/subprocess.html#security-considerations'],
    examples: {
      bad: [
        'import subprocess\ndef f(x):\n    subprocess.run(f"convert {x}", shell=True)\n',
        'from subprocess import check_output as out\ndef f(x):\n    return out("ls " + x, shell=True)\n',
        'import os as system\ndef f(x):\n    cmd = "rm -r %s" % x\n    system.system(cmd)\n',
      ],
      good: [
        'import subprocess\ndef f(x):\n    subprocess.run(["convert", x])\n',
        'import subprocess\ndef f():\n    subprocess.run("ls | wc -l", shell=True)\n',
        'import subprocess, shlex\ndef f(x):\n    subprocess.run(f"convert {shlex.quote(x)}", shell=True)\n',
        'import subprocess\ndef f(x):\n    subprocess.run(["convert", f"{x}.png"], shell=False)\n',
      ],
    },
  },
  {
    id: 'code-from-text',
    class: 'code-injection',
    cwe: 95,
    severity: 'medium',
    confidence: 'medium',
    languages: ['javascript', 'typescript', 'tsx', 'python'],
    message:
      'Text that is not fixed is run as code, so whoever chooses it can do whatever this process can. Parse the value (JSON.parse, ast.literal_eval) or look it up in a table.',
    matches: [
      {
        find: { any: [{ kind: 'call_expression' }, { kind: 'new_expression' }, { kind: 'call' }] },
        needs:
          /(?<![.\w])(eval|exec)\b|(?<![.\w])Function\s*\(|new\s+Function|=\s*Function\b|\bvm\b|\b(builtins|globalThis|window)\b/,
        where: [
          {
            callee: [
              'eval',
              'exec',
              'Function',
              'vm.runInThisContext',
              'vm.runInNewContext',
              'vm.runInContext',
              'vm.Script',
              'builtins.eval',
              'builtins.exec',
              'globalThis.eval',
              'window.eval',
            ],
          },
          {
            any: [
              // A file that is compiled is a script that somebody named; where its name comes from, the flow tells.
              [{ argument: 0, is: { built: 'any', unless: /^(builtins\.)?compile$/ } }],
              [{ callee: ['Function'] }, { argument: 1, is: { built: 'any' } }],
            ],
          },
        ],
      },
    ],
    fix: {
      description: 'Parse the JSON',
      apply: 'json-parse',
      safe: "Only `eval('(' + json + ')')` of what is named JSON: JSON.parse gives the same value for every JSON text.",
    },
    references: ['https://cwe.mitre.org/data/definitions/95.html'],
    examples: {
      bad: [
        'export const f = (text) => eval(`(${text})`);',
        "export const f = (json) => eval('(' + json + ')');",
        'export const f = (body) => new Function("x", body);',
        "import vm from 'node:vm';\nexport const f = (code) => vm.runInNewContext(code);",
        { language: 'python', code: 'def f(x):\n    return eval(x)\n' },
        { language: 'python', code: 'def f(x):\n    exec("y = " + x)\n' },
      ],
      good: [
        'export const f = (text) => JSON.parse(text);',
        "export const two = eval('1 + 1');",
        'export const f = (model) => model.eval();',
        { language: 'python', code: 'import ast\ndef f(x):\n    return ast.literal_eval(x)\n' },
        { language: 'python', code: 'def eval(x):\n    return x\ndef f(x):\n    return eval(x)\n' },
      ],
    },
  },
  {
    id: 'html-from-text',
    class: 'xss',
    cwe: 79,
    severity: 'high',
    confidence: 'medium',
    languages: ['javascript', 'typescript', 'tsx'],
    message:
      'Values become HTML without escaping, so a text with a script in it runs in the page of whoever looks at it. Use textContent or elements, or clean the value first (DOMPurify).',
    matches: [
      {
        find: {
          any: [{ kind: 'assignment_expression' }, { kind: 'augmented_assignment_expression' }],
          has: {
            field: 'left',
            kind: 'member_expression',
            has: { field: 'property', regex: '^(innerHTML|outerHTML)$' },
          },
        },
        where: [{ predicate: 'html-is-built' }],
        needs: /innerHTML|outerHTML/,
      },
      {
        find: { kind: 'call_expression' },
        where: [
          { callee: ['*.insertAdjacentHTML', 'document.write', 'document.writeln'] },
          { predicate: 'html-is-built' },
        ],
      },
      {
        find: { kind: 'pair', has: { field: 'key', regex: '^__html$' } },
        where: [{ predicate: 'html-is-built' }],
        needs: /__html/,
      },
    ],
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/DOM_based_XSS_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        'export function f(node, name) { node.innerHTML = `<b>${name}</b>`; }',
        "export function f(node, name) { const html = '<b>' + name + '</b>'; node.outerHTML = html; }",
        "export function f(node, item) { node.insertAdjacentHTML('beforeend', item.text); }",
        {
          language: 'tsx',
          code: 'export const A = (p: { text: string }) => <p dangerouslySetInnerHTML={{ __html: p.text }} />;',
        },
      ],
      good: [
        'export function f(node, name) { node.textContent = name; }',
        "export function f(node) { node.innerHTML = '<b>none</b>'; }",
        "const TITLE = 'None';\nexport function f(node) { node.innerHTML = `<b>${TITLE}</b>`; }",
        "import DOMPurify from 'dompurify';\nexport function f(node, text) { node.innerHTML = DOMPurify.sanitize(text); }",
        'export function f(node, name) { node.innerHTML = `<b>${escapeHtml(name)}</b>`; }',
      ],
    },
  },
  {
    id: 'path-from-request',
    class: 'path-traversal',
    cwe: 22,
    severity: 'high',
    confidence: 'high',
    languages: ['javascript', 'typescript', 'tsx', 'python'],
    message:
      'A path is made from what a client sends, so "../" reaches any file of this machine. Take only the last part (basename), or resolve the path and refuse it unless it stays below its folder.',
    matches: [
      {
        find: { any: [{ kind: 'call_expression' }, { kind: 'call' }] },
        needs: REQUEST_WORD,
        where: [
          {
            callee: [
              'path.join',
              'path.resolve',
              'path.posix.join',
              'path.default.join',
              'os.path.join',
              'pathlib.Path',
              'pathlib.Path().joinpath',
            ],
          },
          { predicate: 'joins-request-path' },
        ],
      },
      {
        find: { any: [{ kind: 'call_expression' }, { kind: 'call' }] },
        needs: REQUEST_WORD,
        where: [
          {
            any: [
              [
                {
                  callee: [
                    '*.sendFile',
                    '*.download',
                    'open',
                    'io.open',
                    'flask.send_file',
                    'os.remove',
                    'os.unlink',
                    'shutil.rmtree',
                  ],
                },
              ],
              [
                {
                  callee: [
                    'readFile',
                    'readFileSync',
                    'createReadStream',
                    'writeFile',
                    'writeFileSync',
                    'createWriteStream',
                    'unlink',
                    'unlinkSync',
                    'rm',
                    'rmSync',
                    'readdir',
                    'readdirSync',
                    'stat',
                    'statSync',
                  ].flatMap((name) => [`fs.${name}`, `fs.promises.${name}`]),
                },
              ],
            ],
          },
          { predicate: 'opens-request-path' },
        ],
      },
    ],
    references: ['https://owasp.org/www-community/attacks/Path_Traversal'],
    examples: {
      bad: [
        "import path from 'node:path';\nexport const f = (req, res) => res.sendFile(path.join('/data', req.params.name));",
        "import { readFile } from 'node:fs/promises';\nexport const f = async (request, reply) => reply.send(await readFile(`./files/${request.query.f}`));",
        "import { join as j } from 'path';\nexport function f(q) { const name = q.params.file; return j('/data', 'x', name); }",
        {
          language: 'python',
          code: 'import os\nfrom flask import request\ndef f():\n    return open(os.path.join("/data", request.args["f"]))\n',
        },
        {
          language: 'python',
          code: '@app.get("/files/<path:name>")\ndef f(name):\n    return open("/data/" + name).read()\n',
        },
      ],
      good: [
        "import path from 'node:path';\nexport const f = (req, res) => res.sendFile(path.join('/data', path.basename(req.params.name)));",
        "import path from 'node:path';\nexport const f = (name) => path.join('/data', name);",
        "import path from 'node:path';\nexport const f = (req) => path.join('/data', tidy(path.basename(req.params.name)));",
        "import path from 'node:path';\nexport function f(req, res) { const p = path.resolve('/data', req.params.name); if (!p.startsWith('/data/')) throw new Error('no'); res.sendFile(p); }",
        "export const f = (req, res) => res.sendFile(req.params.name, { root: '/data' });",
        {
          language: 'python',
          code: 'import os\nfrom flask import request\nfrom werkzeug.utils import secure_filename\ndef f():\n    return open(os.path.join("/data", secure_filename(request.args["f"])))\n',
        },
        { language: 'python', code: 'def f(name):\n    return open("/data/" + name).read()\n' },
      ],
    },
  },
];
