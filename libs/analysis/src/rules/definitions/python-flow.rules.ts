import type { CallFacts } from '../../flow/engine.js';
import type { Expr } from '../../flow/ir.js';
import { pathOf } from '../../flow/places.js';
import type { Frame, Value } from '../../flow/value.js';
import { argument } from '../flow-match.js';
import type { RuleDefinition } from '../rule.js';

const LANGUAGES = ['python'] as const;
const FLASK = 'from flask import Flask, request\napp = Flask(__name__)\n';
const moduleText = (call: CallFacts): string => call.frame.module.text;

/** Data of others that reaches what runs, reads, sends or shows it, in Python. */
export const PYTHON_FLOW_RULES: readonly RuleDefinition[] = [
  {
    id: 'py-sql-from-request',
    class: 'sql-injection',
    cwe: 89,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of the text of a query, so the client decides what the query does: reads other rows, changes or deletes them. Send it as a parameter (`%s`, `?`, `:name`) and keep the text constant.',
    matches: {
      flow: [
        {
          calls:
            '*.execute *.executemany *.executescript *.raw *.extra *.mogrify *.exec_driver_sql *.read_sql *.read_sql_query *.fetch *.fetchrow *.fetchval *.fetch_all *.fetch_one',
          taint: { in: [0, 'where', 'select', 'sql', 'statement'], shape: 'sql' },
          when: (call: CallFacts) =>
            /execute|raw|extra|sql|mogrify/.test(call.method) || call.args[0]?.shape?.includes(' ') === true,
        },
        {
          calls:
            'sqlalchemy.text sqlalchemy.sql.text sqlalchemy.sql.expression.text django.db.models.expressions.RawSQL sqlalchemy.literal_column',
          taint: { in: [0] },
        },
        {
          calls: '*.filter *.order_by *.having *.group_by *.from_statement',
          taint: { in: [0], shape: 'built' },
          when: (call: CallFacts) => /query|session|select/i.test(call.ref),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        `${FLASK}@app.route("/u")\ndef u():\n    cur.execute("SELECT * FROM u WHERE id = " + request.args["id"])\n`,
        `${FLASK}def find(name):\n    return db.execute(f"SELECT * FROM u WHERE name = '{name}'")\n@app.route("/u")\ndef u():\n    return find(request.form.get("name"))\n`,
        'def view(request):\n    q = request.GET.get("q")\n    sql = "SELECT * FROM u WHERE n = \'{}\'".format(q)\n    return User.objects.raw(sql)\n',
      ],
      good: [
        `${FLASK}@app.route("/u")\ndef u():\n    cur.execute("SELECT * FROM u WHERE id = ?", (request.args["id"],))\n`,
        `${FLASK}@app.route("/u/<int:id>")\ndef u(id):\n    return db.execute(f"SELECT * FROM u WHERE id = {id}")\n`,
        'def view(request):\n    q = int(request.GET.get("q"))\n    sql = "SELECT * FROM u WHERE n = \'{}\'".format(q)\n    return User.objects.raw(sql)\n',
      ],
    },
  },
  {
    id: 'py-command-from-request',
    class: 'command-injection',
    cwe: 78,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of others becomes part of a command line that a shell reads, so `; rm -rf /` is run too. Call subprocess.run with a list and without a shell, and check what the program takes for an option.',
    matches: {
      flow: [
        {
          calls:
            'os.system os.popen os.popen2 os.popen3 os.popen4 subprocess.getoutput subprocess.getstatusoutput commands.getoutput commands.getstatusoutput popen2.popen2 popen2.popen3 asyncio.create_subprocess_shell pexpect.run pexpect.spawn',
          taint: { in: [0] },
        },
        {
          calls: 'os.system os.popen subprocess.getoutput asyncio.create_subprocess_shell',
          taint: { in: [0], origins: ['caller'], shape: 'built' },
        },
        {
          calls:
            'subprocess.run subprocess.call subprocess.Popen subprocess.check_output subprocess.check_call asyncio.create_subprocess_exec',
          taint: { in: [0, 'args'] },
          when: (call: CallFacts) =>
            argument(call, 'shell')?.constant === true || call.args[0]?.items === undefined || runsShell(call),
        },
        {
          calls: 'subprocess.run subprocess.call subprocess.Popen subprocess.check_output subprocess.check_call',
          taint: { in: [0, 'args'], origins: ['caller'], shape: 'built' },
          when: (call: CallFacts) => argument(call, 'shell')?.constant === true,
        },
        {
          calls:
            'os.execl os.execle os.execlp os.execv os.execve os.execvp os.spawnl os.spawnv os.spawnlp os.spawnvp os.posix_spawn',
          taint: { in: [0, 1] },
          when: (call: CallFacts) => call.args.some((one) => one.taint),
        },
        {
          calls: '*.exec_command *.sudo *.run_command',
          taint: { in: [0] },
          when: (call: CallFacts) => /ssh|paramiko|client|conn|fabric/i.test(call.ref),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/OS_Command_Injection_Defense_Cheat_Sheet.html'],
    examples: {
      bad: [
        `import os\n${FLASK}@app.route("/")\ndef p():\n    os.system("ping " + request.args["host"])\n`,
        `import subprocess\n${FLASK}def run(cmd):\n    return subprocess.check_output(cmd, shell=True)\n@app.route("/")\ndef p():\n    return run("ls " + request.args.get("d"))\n`,
        'import subprocess\ndef view(request):\n    subprocess.Popen(["sh", "-c", "ls %s" % request.GET["d"]])\n',
      ],
      good: [
        `import os, shlex\n${FLASK}@app.route("/")\ndef p():\n    os.system("ping " + shlex.quote(request.args["host"]))\n`,
        `import subprocess\n${FLASK}def run(cmd):\n    return subprocess.check_output(cmd)\n@app.route("/")\ndef p():\n    return run(["ls", request.args.get("d")])\n`,
        'import subprocess\ndef view(request):\n    subprocess.Popen(["sh", "-c", "ls %s" % int(request.GET["d"])])\n',
      ],
    },
  },
  {
    id: 'py-code-from-request',
    class: 'code-injection',
    cwe: 95,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of others is run as code with all rights of this program. Parse it as data (json.loads, ast.literal_eval), or choose from a table of functions by name.',
    matches: {
      flow: [
        {
          calls:
            'eval exec execfile compile builtins.eval builtins.exec code.InteractiveInterpreter().runcode importlib.import_module __import__ runpy.run_path runpy.run_module',
          taint: { in: [0] },
        },
        { calls: 'eval exec', taint: { in: [0], origins: ['caller'] } },
        {
          // Expressions of pandas can call what they like (`@…`).
          calls: '*.query *.eval',
          taint: { in: [0], origins: ['remote'] },
          when: (call: CallFacts) => /pandas\.|DataFrame/.test(call.receiver.ref ?? ''),
        },
        {
          calls: 'getattr',
          taint: { in: [1] },
          when: (call: CallFacts) => /\)\s*\(/.test(moduleText(call).slice(call.node.end - 1, call.node.end + 2)),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/95.html'],
    examples: {
      bad: [
        'def view(request):\n    return eval(request.GET["f"])\n',
        `${FLASK}def run(code):\n    exec(code)\n@app.route("/")\ndef p():\n    run(request.form["code"])\n`,
        `import importlib\n${FLASK}@app.route("/<name>")\ndef p(name):\n    importlib.import_module("plugins." + name)\n`,
      ],
      good: [
        'import ast\ndef view(request):\n    return ast.literal_eval(request.GET["f"])\n',
        `${FLASK}def _run(code):\n    return len(code)\n@app.route("/")\ndef p():\n    _run(request.form["code"])\n`,
        `import importlib\n${FLASK}KNOWN = {"a": "plugins.a"}\n@app.route("/<name>")\ndef p(name):\n    importlib.import_module(KNOWN[name])\n`,
      ],
    },
  },
  {
    id: 'py-path-from-request',
    class: 'path-traversal',
    cwe: 22,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A client names the file, so `../../etc/passwd` leaves the folder that was meant. Use secure_filename or safe_join, or resolve the path and refuse it unless it stays in the folder.',
    matches: {
      flow: [
        {
          calls:
            'open io.open codecs.open os.open os.remove os.unlink os.rmdir os.rename os.listdir os.mkdir os.makedirs os.stat os.chmod os.walk os.scandir shutil.copy shutil.copyfile shutil.move shutil.rmtree shutil.copytree flask.send_file send_file django.http.FileResponse fastapi.responses.FileResponse starlette.responses.FileResponse zipfile.ZipFile tarfile.open aiofiles.open linecache.getline os.path.exists os.path.isfile',
          taint: { in: [0, 'file', 'filename_or_fp', 'path'], origins: ['remote'] },
          when: (call: CallFacts) => call.args.some((one) => one.taint) || call.named.size > 0,
        },
        {
          calls: '*.read_text *.read_bytes *.write_text *.write_bytes *.open *.unlink',
          taint: { in: ['receiver'], origins: ['remote'] },
          when: (call: CallFacts) => /Path\(|pathlib/.test(call.ref) || /Path\(/.test(moduleText(call)),
        },
        {
          calls: '*.save',
          taint: { in: [0], origins: ['remote'], shape: 'any' },
          when: (call: CallFacts) =>
            /files|upload|file\b|image/i.test(call.receiver.ref ?? '') || call.receiver.taint !== undefined,
        },
        { calls: 'flask.send_from_directory', taint: { in: [0], origins: ['remote'] } },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/22.html'],
    examples: {
      bad: [
        `${FLASK}@app.route("/f")\ndef f():\n    return open("/data/" + request.args["f"]).read()\n`,
        `import os\n${FLASK}def at(name):\n    return os.path.join("/data", name)\n@app.route("/f")\ndef f():\n    return open(at(request.args.get("f"))).read()\n`,
        'from pathlib import Path\ndef view(request):\n    return Path("/data", request.GET["f"]).read_text()\n',
      ],
      good: [
        `from werkzeug.utils import secure_filename\n${FLASK}@app.route("/f")\ndef f():\n    return open("/data/" + secure_filename(request.args["f"])).read()\n`,
        `import os\n${FLASK}@app.route("/f")\ndef f():\n    p = os.path.realpath(os.path.join("/data", request.args.get("f")))\n    if not p.startswith("/data/"):\n        return "no", 400\n    return open(p).read()\n`,
        'from pathlib import Path\ndef view(request):\n    return Path("/data", "a.txt").read_text()\n',
      ],
    },
  },
  {
    id: 'py-html-from-request',
    class: 'xss',
    cwe: 79,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of a page as markup, so a script in it runs with the rights of whoever looks at the page. Escape it (markupsafe.escape, format_html), or let a template escape it.',
    matches: {
      flow: [
        {
          calls:
            'django.http.HttpResponse django.http.response.HttpResponse django.utils.safestring.mark_safe django.utils.safestring.SafeString markupsafe.Markup flask.Markup jinja2.Markup flask.make_response flask.Response fastapi.responses.HTMLResponse starlette.responses.HTMLResponse django.http.HttpResponseBadRequest django.http.HttpResponseNotFound aiohttp.web.Response',
          taint: { in: [0, 'content', 'text', 'body'], origins: ['remote'], shape: 'markup' },
          when: (call: CallFacts) =>
            !/json|plain|xml|csv/i.test(String(argument(call, 'content_type', 'mimetype')?.constant ?? '')) &&
            (call.ref !== 'aiohttp.web.Response' ||
              /html/.test(String(argument(call, 'content_type')?.constant ?? ''))),
        },
        {
          calls: '*.write',
          taint: { in: [0], origins: ['remote'], shape: 'markup' },
          when: (call: CallFacts) =>
            /^\?(self|this)(\.|$)|response/i.test(call.receiver.ref ?? '') &&
            /tornado|webapp2|BaseHTTPRequestHandler|HttpResponse/.test(moduleText(call)),
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
        `${FLASK}@app.route("/")\ndef p():\n    return "<h1>Hi " + request.args["n"] + "</h1>"\n`,
        'from django.http import HttpResponse\ndef page(n):\n    return "<p>%s</p>" % n\ndef view(request):\n    return HttpResponse(page(request.GET["n"]))\n',
        'from django.utils.safestring import mark_safe\ndef view(request):\n    n = request.POST.get("n")\n    return mark_safe(f"<b>{n}</b>")\n',
      ],
      good: [
        `from markupsafe import escape\n${FLASK}@app.route("/")\ndef p():\n    return "<h1>Hi " + escape(request.args["n"]) + "</h1>"\n`,
        'from django.http import JsonResponse\ndef view(request):\n    return JsonResponse({"n": request.GET["n"]})\n',
        'from django.utils.html import format_html\ndef view(request):\n    n = request.POST.get("n")\n    return format_html("<b>{}</b>", n)\n',
      ],
    },
  },
  {
    id: 'py-request-to-any-host',
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
            'requests.get requests.post requests.put requests.patch requests.delete requests.head requests.options httpx.get httpx.post httpx.put httpx.stream httpx.head urllib.request.urlopen urllib.urlopen urllib2.urlopen urllib.request.urlretrieve urllib.request.Request aiohttp.request urllib3.request http.client.HTTPConnection http.client.HTTPSConnection httplib.HTTPConnection httplib.HTTPSConnection pycurl.Curl wget.download socket.create_connection feedparser.parse pandas.read_csv tornado.httpclient.HTTPRequest',
          taint: { in: [0, 'url', 'host'], origins: ['remote'], shape: 'host' },
          when: (call: CallFacts) => !/\b(Bytes|String)IO\(\)/.test(call.args[0]?.ref ?? ''),
        },
        { calls: 'requests.request httpx.request', taint: { in: [1, 'url'], origins: ['remote'], shape: 'host' } },
        {
          calls: '*.get *.post *.put *.fetch *.request *.urlopen',
          taint: { in: [0, 1, 'url'], origins: ['remote'], shape: 'host' },
          when: (call: CallFacts) =>
            /requests\.Session\(|httpx\.(Async)?Client\(|aiohttp\.ClientSession\(|PoolManager\(|http_client|AsyncHTTPClient\(/i.test(
              call.receiver.ref ?? '',
            ),
        },
      ],
    },
    references: [
      'https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html',
    ],
    examples: {
      bad: [
        `import requests\n${FLASK}@app.route("/")\ndef p():\n    return requests.get(request.args["url"]).text\n`,
        'import httpx\ndef load(url):\n    return httpx.get(url)\ndef view(request):\n    return load(request.GET.get("url"))\n',
        'from fastapi import FastAPI\nimport requests\napp = FastAPI()\n@app.get("/p")\ndef p(host: str):\n    return requests.get(f"http://{host}/status").json()\n',
      ],
      good: [
        `import requests\n${FLASK}@app.route("/")\ndef p():\n    return requests.get("https://api.example/x", params={"u": request.args["url"]}).text\n`,
        'import httpx\nHOSTS = ("https://a.example", "https://b.example")\ndef view(request):\n    url = request.GET.get("url")\n    if url not in HOSTS:\n        return None\n    return httpx.get(url)\n',
        'from fastapi import FastAPI\nimport requests\napp = FastAPI()\n@app.get("/p")\ndef p(item: str):\n    return requests.get(f"http://a.example/{item}").json()\n',
      ],
    },
  },
  {
    id: 'py-redirect-to-request',
    class: 'open-redirect',
    cwe: 601,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A client decides where people are sent, so a link to this site can lead to one that steals their passwords. Choose from a list of places, or check with url_has_allowed_host_and_scheme.',
    matches: {
      flow: [
        {
          calls:
            'flask.redirect werkzeug.utils.redirect django.shortcuts.redirect django.http.HttpResponseRedirect django.http.HttpResponsePermanentRedirect fastapi.responses.RedirectResponse starlette.responses.RedirectResponse aiohttp.web.HTTPFound bottle.redirect quart.redirect sanic.response.redirect django.http.response.HttpResponseRedirect',
          taint: { in: [0, 'url', 'location'], origins: ['remote'], shape: 'host' },
        },
        {
          calls: '*.redirect',
          taint: { in: [0], origins: ['remote'], shape: 'host' },
          when: (call: CallFacts) => /^\?(self|this)/.test(call.receiver.ref ?? ''),
        },
        { assigns: '*.Location *.location', taint: { origins: ['remote'], shape: 'host' } },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Unvalidated_Redirects_and_Forwards_Cheat_Sheet.html'],
    examples: {
      bad: [
        `from flask import redirect\n${FLASK}@app.route("/")\ndef p():\n    return redirect(request.args["next"])\n`,
        'from django.http import HttpResponseRedirect\ndef go(to):\n    return HttpResponseRedirect(to)\ndef view(request):\n    return go(request.GET.get("next", "/"))\n',
        'from fastapi import FastAPI\nfrom fastapi.responses import RedirectResponse\napp = FastAPI()\n@app.get("/go")\ndef go(to: str):\n    return RedirectResponse(to)\n',
      ],
      good: [
        `from flask import redirect, url_for\n${FLASK}@app.route("/")\ndef p():\n    return redirect(url_for("home", n=request.args["next"]))\n`,
        'from django.http import HttpResponseRedirect\nfrom django.utils.http import url_has_allowed_host_and_scheme\ndef view(request):\n    to = request.GET.get("next", "/")\n    if not url_has_allowed_host_and_scheme(to, allowed_hosts=None):\n        to = "/"\n    return HttpResponseRedirect(to)\n',
        'from fastapi import FastAPI\nfrom fastapi.responses import RedirectResponse\napp = FastAPI()\n@app.get("/go")\ndef go(to: int):\n    return RedirectResponse(f"/items/{to}")\n',
      ],
    },
  },
  {
    id: 'py-template-from-request',
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
            'flask.render_template_string jinja2.Template mako.template.Template django.template.Template jinja2.Environment().from_string jinja2.sandbox.SandboxedEnvironment().from_string bottle.template tornado.template.Template chameleon.PageTemplate quart.render_template_string',
          taint: { in: [0, 'source'], origins: ['remote', 'local'] },
          when: (call: CallFacts) => call.args[0]?.taint !== undefined || call.named.size > 0,
        },
        { calls: '*.from_string', taint: { in: [0] } },
        { calls: 'flask.render_template_string', taint: { in: [0], origins: ['caller'], shape: 'built' } },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/1336.html'],
    examples: {
      bad: [
        `from flask import render_template_string\n${FLASK}@app.route("/")\ndef p():\n    return render_template_string("<p>" + request.args["n"])\n`,
        `from jinja2 import Template\n${FLASK}def show(text):\n    return Template(text).render()\n@app.route("/")\ndef p():\n    return show(request.form["t"])\n`,
        'from django.template import Template\ndef view(request):\n    t = Template("Hi %s" % request.GET["n"])\n    return t.render()\n',
      ],
      good: [
        `from flask import render_template_string\n${FLASK}@app.route("/")\ndef p():\n    return render_template_string("<p>{{ n }}", n=request.args["n"])\n`,
        `from jinja2 import Template\n${FLASK}def show(text):\n    return Template("{{ t }}").render(t=text)\n@app.route("/")\ndef p():\n    return show(request.form["t"])\n`,
        'from django.template import Template\ndef view(request):\n    t = Template("Hi %s" % int(request.GET["n"]))\n    return t.render()\n',
      ],
    },
  },
  {
    id: 'py-ldap-filter-from-request',
    class: 'ldap-injection',
    cwe: 90,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of an LDAP filter or name, so `*)(uid=*` changes what is asked. Escape it with escape_filter_chars.',
    matches: {
      flow: [
        {
          calls: '*.search_s *.search *.search_ext *.search_ext_s *.search_st *.simple_bind_s *.paged_search',
          taint: {
            in: [0, 1, 2, 'search_filter', 'search_base', 'filterstr', 'base'],
            origins: ['remote'],
            shape: 'built',
          },
          when: (call: CallFacts) => /ldap/i.test(moduleText(call)),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/LDAP_Injection_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        `import ldap\n${FLASK}@app.route("/")\ndef p():\n    c = ldap.initialize("ldap://a")\n    c.search_s("dc=a", 2, "(uid=" + request.args["u"] + ")")\n`,
        `import ldap3\n${FLASK}def ask(conn, f):\n    return conn.search("dc=a", f)\n@app.route("/")\ndef p():\n    return ask(conn, f"(uid={request.args['u']})")\n`,
        'import ldap\ndef view(request):\n    c = ldap.initialize("ldap://a")\n    return c.search_s("ou=%s,dc=a" % request.GET["o"], 2, "(a=b)")\n',
      ],
      good: [
        `import ldap\nfrom ldap.filter import escape_filter_chars\n${FLASK}@app.route("/")\ndef p():\n    c = ldap.initialize("ldap://a")\n    c.search_s("dc=a", 2, "(uid=" + escape_filter_chars(request.args["u"]) + ")")\n`,
        `import ldap3\n${FLASK}def ask(conn, f):\n    return conn.search("dc=a", f)\n@app.route("/")\ndef p():\n    return ask(conn, "(uid=a)")\n`,
        'import ldap\ndef view(request):\n    c = ldap.initialize("ldap://a")\n    return c.search_s("ou=%d,dc=a" % int(request.GET["o"]), 2, "(a=b)")\n',
      ],
    },
  },
  {
    id: 'py-xpath-from-request',
    class: 'xpath-injection',
    cwe: 643,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of a client becomes part of an XPath expression, so the client decides which nodes are chosen. Hand it over as a variable (`$name`).',
    matches: {
      flow: [
        {
          calls: '*.xpath *.findall *.iterfind lxml.etree.XPath elementpath.select',
          taint: { in: [0, 1], origins: ['remote', 'local'], shape: 'built' },
          when: (call: CallFacts) => /lxml|etree|xml|xpath|elementpath/i.test(moduleText(call)),
        },
        { calls: 'elementpath.select', taint: { in: [1] } },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/643.html'],
    examples: {
      bad: [
        `from lxml import etree\n${FLASK}@app.route("/")\ndef p():\n    return str(etree.parse("a.xml").xpath("//u[@n='" + request.args["n"] + "']"))\n`,
        `from lxml import etree\n${FLASK}def by(n):\n    return f"//u[@n='{n}']"\n@app.route("/")\ndef p():\n    return str(root.xpath(by(request.form["n"])))\n`,
        'from lxml import etree\ndef view(request):\n    return root.xpath("//u[@n=\'%s\']" % request.GET["n"])\n',
      ],
      good: [
        `from lxml import etree\n${FLASK}@app.route("/")\ndef p():\n    return str(etree.parse("a.xml").xpath("//u[@n=$n]", n=request.args["n"]))\n`,
        `from lxml import etree\n${FLASK}def by(n):\n    return f"//u[@n='{n}']"\n@app.route("/")\ndef p():\n    return str(root.xpath(by(int(request.form["n"]))))\n`,
        'from lxml import etree\ndef view(request):\n    return root.xpath("//u[@n=\'a\']")\n',
      ],
    },
  },
  {
    id: 'py-deserialize-request',
    class: 'deserialization',
    cwe: 502,
    severity: 'critical',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Data of others is turned into objects by something that runs code while it does. Use json, or a signed format.',
    matches: {
      flow: [
        {
          calls:
            'pickle.loads pickle.load cPickle.loads cPickle.load _pickle.loads pickle.Unpickler dill.loads dill.load cloudpickle.loads jsonpickle.decode shelve.open marshal.loads marshal.load joblib.load torch.load numpy.load pandas.read_pickle',
          taint: { in: [0], origins: ['remote', 'local'] },
        },
        {
          calls: 'pickle.loads cPickle.loads dill.loads jsonpickle.decode marshal.loads',
          taint: { in: [0], origins: ['caller'] },
        },
        {
          calls: 'yaml.load yaml.load_all yaml.unsafe_load yaml.full_load',
          taint: { in: [0] },
          when: (call: CallFacts) => !/Safe/.test(String(argument(call, 1, 'Loader')?.ref ?? '')),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Deserialization_Cheat_Sheet.html'],
    examples: {
      bad: [
        `import pickle\n${FLASK}@app.route("/")\ndef p():\n    return pickle.loads(request.data)\n`,
        `import pickle, base64\n${FLASK}def read(text):\n    return pickle.loads(base64.b64decode(text))\n@app.route("/")\ndef p():\n    return read(request.cookies["s"])\n`,
        'import jsonpickle\ndef view(request):\n    return jsonpickle.decode(request.POST["o"])\n',
      ],
      good: [
        `import json\n${FLASK}@app.route("/")\ndef p():\n    return json.loads(request.data)\n`,
        `import pickle\n${FLASK}@app.route("/")\ndef p():\n    return pickle.dumps(request.cookies["s"])\n`,
        'import jsonpickle\ndef view(request):\n    return jsonpickle.encode(request.POST["o"])\n',
      ],
    },
  },
  {
    id: 'py-filter-from-request',
    class: 'nosql-injection',
    cwe: 943,
    severity: 'high',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'A client can send an object where a text is meant, or code for `$where`, and the database takes it for an operator. Make it a text with str(...), or check the body against a schema.',
    matches: {
      flow: [
        {
          calls:
            '*.find *.find_one *.update_one *.update_many *.delete_one *.delete_many *.find_one_and_update *.count_documents *.aggregate *.remove',
          taint: { in: [0], origins: ['remote'], shape: 'structured' },
          when: (call: CallFacts) => /mongo|motor|bson/i.test(moduleText(call)) && call.args[0]?.shape === undefined,
        },
        { calls: '*.find *.find_one', taint: { in: ['$where'], origins: ['remote'] } },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Injection_Prevention_Cheat_Sheet.html'],
    examples: {
      bad: [
        `from pymongo import MongoClient\n${FLASK}@app.route("/")\ndef p():\n    return db.users.find_one({"name": request.json["name"]})\n`,
        `from pymongo import MongoClient\n${FLASK}def ask(f):\n    return db.users.find(f)\n@app.route("/")\ndef p():\n    return ask(request.get_json())\n`,
        `from pymongo import MongoClient\n${FLASK}@app.route("/")\ndef p():\n    return db.users.find({"$where": "this.n == '" + request.args["n"] + "'"})\n`,
      ],
      good: [
        `from pymongo import MongoClient\n${FLASK}@app.route("/")\ndef p():\n    return db.users.find_one({"name": str(request.json["name"])})\n`,
        `from pymongo import MongoClient\n${FLASK}def ask(f):\n    return db.users.find(f)\n@app.route("/")\ndef p():\n    return ask({"a": 1})\n`,
        `from pymongo import MongoClient\n${FLASK}@app.route("/")\ndef p():\n    return db.users.find({"n": request.args["n"]})\n`,
      ],
    },
  },
  {
    id: 'py-log-from-request',
    class: 'log-injection',
    cwe: 117,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Data of a client is written into the log as it is, so with line ends in it a client writes lines of its own. Take out line ends, or log it as a field of a structured entry.',
    matches: {
      flow: [
        {
          calls: '*.info *.warning *.warn *.error *.debug *.critical *.exception *.log',
          taint: { in: [0, 1, 2], origins: ['remote'] },
          when: (call: CallFacts) => /log/i.test(call.ref) && call.args.some((one) => one.taint),
        },
      ],
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html'],
    examples: {
      bad: [
        `import logging\n${FLASK}@app.route("/")\ndef p():\n    logging.info("user " + request.args["n"])\n`,
        'import logging\nlogger = logging.getLogger(__name__)\ndef note(n):\n    logger.warning("user %s", n)\ndef view(request):\n    note(request.GET["n"])\n',
        `${FLASK}@app.route("/")\ndef p():\n    app.logger.error(f"bad {request.args['n']}")\n`,
      ],
      good: [
        `import logging\n${FLASK}@app.route("/")\ndef p():\n    logging.info("user %d", int(request.args["n"]))\n`,
        'import logging\nlogger = logging.getLogger(__name__)\ndef note(n):\n    logger.warning("user %s", n)\ndef view(request):\n    note(5)\n',
        `${FLASK}@app.route("/")\ndef p():\n    app.logger.error("bad")\n`,
      ],
    },
  },
  {
    id: 'py-header-from-request',
    class: 'header-injection',
    cwe: 113,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'A client decides a header of the answer, or of a message that is sent. Choose the value from known ones, or encode it.',
    matches: {
      flow: [
        {
          assigns: '*.X-Name *.[]',
          taint: { origins: ['remote'] },
          when: (_value: Value, target: Expr) =>
            target.k === 'index' && target.object.k === 'member' && target.object.name === 'headers',
        },
        {
          calls: '*.add *.set_header *.add_header *.__setitem__',
          taint: { in: [0, 1], origins: ['remote'] },
          when: (call: CallFacts) => /headers$/.test(call.receiver.ref ?? '') || /header/.test(call.method),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/113.html'],
    examples: {
      bad: [
        `${FLASK}@app.route("/")\ndef p():\n    r = make()\n    r.headers.add("X-A", request.args["a"])\n    return r\n`,
        'class H(RequestHandler):\n    def get(self):\n        self.set_header("X-A", self.get_argument("a"))\n',
        `${FLASK}def mark(r, a):\n    r.headers.add("X-A", a)\n@app.route("/")\ndef p():\n    mark(make(), request.form["a"])\n`,
      ],
      good: [
        `${FLASK}@app.route("/")\ndef p():\n    r = make()\n    r.headers.add("X-A", int(request.args["a"]))\n    return r\n`,
        'class H(RequestHandler):\n    def get(self):\n        self.set_header("X-A", "b")\n',
        `${FLASK}def mark(r, a):\n    r.headers.add("X-A", a)\n@app.route("/")\ndef p():\n    mark(make(), "b")\n`,
      ],
    },
  },
  {
    id: 'py-pattern-from-request',
    class: 'regex-dos',
    cwe: 1333,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A client decides a regular expression, and some take minutes for a short text. Escape it with re.escape, or compare without an expression.',
    matches: {
      flow: [
        {
          calls: 're.compile re.match re.search re.fullmatch re.findall re.sub re.split re.finditer regex.compile',
          taint: { in: [0], origins: ['remote'] },
        },
      ],
    },
    references: ['https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS'],
    examples: {
      bad: [
        `import re\n${FLASK}@app.route("/")\ndef p():\n    return str(re.search(request.args["q"], "text"))\n`,
        'import re\ndef like(q):\n    return re.compile("^" + q)\ndef view(request):\n    return like(request.GET["q"])\n',
        `import re\n${FLASK}@app.route("/<q>")\ndef p(q):\n    return str(re.findall(q, "text"))\n`,
      ],
      good: [
        `import re\n${FLASK}@app.route("/")\ndef p():\n    return str(re.search(re.escape(request.args["q"]), "text"))\n`,
        'import re\ndef like(q):\n    return re.compile("^" + q)\ndef view(request):\n    return like("a")\n',
        `import re\n${FLASK}@app.route("/<q>")\ndef p(q):\n    return str(re.findall("a+", q))\n`,
      ],
    },
  },
  {
    id: 'py-session-from-request',
    class: 'trust-boundary',
    cwe: 501,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'What a client sent is put into the session as it came, and whoever reads it there takes it for something that was checked. Check it first, or keep it apart.',
    matches: {
      flow: [
        {
          assigns: 'flask.session.* REQ.session.* bottle.request.session.*',
          taint: { origins: ['remote'] },
          // Where somebody came from and what they like to see is theirs to say.
          when: (_value: Value, target: Expr) =>
            !(target.k === 'member' && /next|url|lang|locale|theme|zone/i.test(target.name)),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/501.html'],
    examples: {
      bad: [
        'from flask import request, session\ndef f():\n    session["role"] = request.args["role"]\n',
        'def view(request):\n    request.session["user"] = request.POST["user"]\n',
        'from flask import request, session\ndef keep(name):\n    session["user"] = name\ndef f():\n    keep(request.form.get("user", ""))\n',
      ],
      good: [
        'from flask import session\ndef f(user):\n    session["role"] = user.role\n',
        'def view(request):\n    request.session["count"] = int(request.POST["count"])\n',
        'from flask import request, session\ndef f():\n    session["lang"] = request.args["lang"]\n',
      ],
    },
  },
];

function runsShell(call: CallFacts): boolean {
  const [program, option] = call.args[0]?.items ?? [];
  return (
    /(^|\/)(sh|bash|zsh|cmd|powershell)$/.test(String(program?.constant ?? '')) &&
    String(option?.constant ?? '') === '-c'
  );
}

/** Whether a value that a function gives back is sent as a page: by a route of Flask and its like. */
function isPage(value: Value, frame: Frame): boolean {
  const { fn } = frame;
  if (!fn || value.fields || value.items || (value.ref !== undefined && /\(\)$/.test(value.ref))) return false;
  if (value.shape === undefined) return false;
  // FastAPI sends a text as JSON, unless it is said to be a page.
  if (/\bfastapi\b/.test(frame.module.text))
    return fn.decorators.some(
      (mark) =>
        mark.k === 'call' &&
        mark.args.some((one) => one.name === 'response_class' && /HTMLResponse$/.test(pathOf(one.value) ?? '')),
    );
  if (!/\b(flask|bottle|quart)\b/.test(frame.module.text)) return false;
  return fn.decorators.some(
    (mark) => mark.k === 'call' && mark.callee.k === 'member' && /^(route|get|post|put)$/.test(mark.callee.name),
  );
}
