import type { RuleDefinition } from '../rule.js';

/** What a web service lets in or gives away: objects from bytes, debuggers, cookies. */
export const WEB_RULES: readonly RuleDefinition[] = [
  {
    id: 'yaml-makes-objects',
    class: 'deserialization',
    cwe: 502,
    severity: 'high',
    confidence: 'high',
    languages: ['python'],
    message:
      'This loader makes any Python object that the document names, so a document can run code. Use yaml.safe_load, which knows only plain data.',
    matches: [
      {
        find: { kind: 'call' },
        where: [
          { callee: ['yaml.load', 'yaml.load_all'] },
          {
            any: [
              [{ argument: [1, 'Loader'], is: 'absent' }],
              [
                {
                  argument: [1, 'Loader'],
                  is: {
                    names: [
                      'yaml.Loader',
                      'yaml.UnsafeLoader',
                      'yaml.CLoader',
                      'yaml.loader.Loader',
                      'yaml.loader.UnsafeLoader',
                    ],
                  },
                },
              ],
            ],
          },
        ],
      },
    ],
    fix: {
      description: 'Load plain data only',
      apply: 'yaml-safe-load',
      safe: 'A document of plain data gives the same values; one that names Python objects is what the finding is about.',
    },
    references: ['https://pyyaml.org/wiki/PyYAMLDocumentation'],
    examples: {
      bad: [
        'import yaml\nyaml.load(open("a.yaml"))\n',
        'import yaml as y\ny.load("a: 1", Loader=y.Loader)\n',
        'from yaml import load, UnsafeLoader\nload("a: 1", UnsafeLoader)\n',
      ],
      good: [
        'import yaml\nyaml.safe_load("a: 1")\n',
        'import yaml\nyaml.load("a: 1", Loader=yaml.SafeLoader)\n',
        'import json\njson.load(open("a.json"))\n',
        'from yaml import load, CSafeLoader\nload("a: 1", CSafeLoader)\n',
      ],
    },
  },
  {
    id: 'pickle-of-request',
    class: 'deserialization',
    cwe: 502,
    severity: 'critical',
    confidence: 'high',
    languages: ['python'],
    message:
      'Unpickling runs code that the bytes name, and these bytes come from a client. Use JSON, or check a signature first.',
    matches: [
      {
        find: { kind: 'call' },
        where: [
          {
            callee: [
              'pickle.loads',
              'pickle.load',
              'cPickle.loads',
              'dill.loads',
              'cloudpickle.loads',
              'marshal.loads',
              'jsonpickle.decode',
            ],
          },
          { argument: 0, is: { built: 'from-request' } },
        ],
      },
    ],
    references: ['https://docs.python.org/3/library/pickle.html'],
    examples: {
      bad: [
        'import pickle\nfrom flask import request\ndef f():\n    return pickle.loads(request.data)\n',
        'from pickle import loads as read\nfrom flask import request as r\ndef f():\n    body = r.get_data()\n    return read(body)\n',
        'import dill\nfrom flask import request\ndef f():\n    return dill.loads(request.cookies["state"])\n',
      ],
      good: [
        'import json\nfrom flask import request\ndef f():\n    return json.loads(request.data)\n',
        'import pickle\ndef f(path):\n    with open(path, "rb") as h:\n        return pickle.load(h)\n',
        'import pickle\ndef f(x):\n    return pickle.dumps(x)\n',
      ],
    },
  },
  {
    id: 'flask-debugger',
    class: 'debug-enabled',
    cwe: 489,
    severity: 'high',
    confidence: 'high',
    languages: ['python'],
    message:
      "Debug mode serves an interactive console on every error page: whoever reaches it runs code here. Leave it off, and turn it on from the environment on a developer's machine.",
    matches: [
      {
        find: { kind: 'call' },
        where: [{ callee: ['*.run'] }, { argument: 'debug', is: 'true' }, { predicate: 'web-server-run' }],
      },
    ],
    fix: {
      description: 'Turn debug mode off',
      apply: 'debug-false',
      safe: 'What the service answers stays the same but for its error pages; who wants the debugger says so where it is started (`flask run --debug`).',
    },
    references: ['https://flask.palletsprojects.com/en/stable/debugging/'],
    examples: {
      bad: [
        'from flask import Flask\napp = Flask(__name__)\napp.run(debug=True)\n',
        'from web import service\nservice.run(host="127.0.0.1", port=80, debug = True)\n',
        'from flask import Flask as F\nDEBUG = True\nthing = F("x")\nthing.run(debug=DEBUG)\n',
      ],
      good: [
        'from flask import Flask\napp = Flask(__name__)\napp.run(debug=False)\n',
        'import os\nfrom flask import Flask\napp = Flask(__name__)\napp.run(debug=os.environ.get("DEBUG") == "1")\n',
        'import asyncio\nasync def main(): ...\nasyncio.run(main(), debug=True)\n',
      ],
    },
  },
  {
    id: 'js-session-cookie-flags',
    class: 'cookie-flags',
    cwe: 1004,
    severity: 'medium',
    confidence: 'high',
    languages: ['typescript', 'javascript', 'tsx'],
    message: 'This cookie is a login, but scripts may read it or it travels unencrypted. Set httpOnly and secure.',
    matches: [
      {
        find: { kind: 'call_expression' },
        where: [
          { callee: ['*.cookie', '*.setCookie'] },
          { argument: 1, is: 'present' },
          { predicate: 'session-cookie' },
          { predicate: 'cookie-lacks-flags' },
        ],
      },
    ],
    fix: {
      description: 'Set httpOnly and secure',
      apply: 'cookie-flags',
      safe: 'Browsers send the cookie as before; only scripts of the page and connections without encryption (but to localhost) no longer get a login that is for the server.',
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html'],
    examples: {
      bad: [
        "export const f = (res, id) => res.cookie('sid', id);",
        "export const f = (res, id) => res.cookie('session_id', id, { httpOnly: true });",
        "const NAME = 'authToken';\nexport const f = (res, id) => res.cookie(NAME, id, { secure: true, httpOnly: false });",
      ],
      good: [
        "export const f = (res, id) => res.cookie('sid', id, { httpOnly: true, secure: true });",
        "export const f = (res) => res.cookie('theme', 'dark');",
        "export const f = (res, id, options) => res.cookie('sid', id, { ...options });",
        "export const f = (req) => req.cookie('sid');",
      ],
    },
  },
  {
    id: 'py-session-cookie-flags',
    class: 'cookie-flags',
    cwe: 1004,
    severity: 'medium',
    confidence: 'high',
    languages: ['python'],
    message: 'This cookie is a login, but scripts may read it or it travels unencrypted. Set httponly and secure.',
    matches: [
      {
        find: { kind: 'call' },
        where: [
          { callee: ['*.set_cookie'] },
          { argument: [1, 'value'], is: 'present' },
          { predicate: 'session-cookie' },
          { predicate: 'cookie-lacks-flags' },
        ],
      },
    ],
    fix: {
      description: 'Set httponly and secure',
      apply: 'cookie-flags',
      safe: 'Browsers send the cookie as before; only scripts of the page and connections without encryption (but to localhost) no longer get a login that is for the server.',
    },
    references: ['https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html'],
    examples: {
      bad: [
        'def f(response, sid):\n    response.set_cookie("session", sid)\n',
        'def f(response, sid):\n    response.set_cookie("auth_token", sid, httponly=True)\n',
        'NAME = "sid"\ndef f(response, sid):\n    response.set_cookie(NAME, sid, secure=False, httponly=True)\n',
      ],
      good: [
        'def f(response, sid):\n    response.set_cookie("session", sid, httponly=True, secure=True)\n',
        'def f(response):\n    response.set_cookie("theme", "dark")\n',
        'def f(response, sid, flags):\n    response.set_cookie("session", sid, **flags)\n',
      ],
    },
  },
];
