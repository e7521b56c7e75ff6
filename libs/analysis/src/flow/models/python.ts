import type { FindingClass } from '@devmesh/contracts/finding';
import { NameTable, type Model, type Source } from './model.js';

const remote = (note: string, text = true): Source => ({ origin: 'remote', note, ...(text ? { text } : {}) });

/** Members of a request of Flask, Django, FastAPI, Starlette, aiohttp, Tornado, Bottle and Pyramid that the client chooses. */
const MEMBERS =
  'args form values files cookies headers data view_args GET POST REQUEST COOKIES FILES META query_params path_params query_string query url full_path base_url path_info match_info rel_url params matchdict body arguments environ stream referrer user_agent raw_post_data host';
const OBJECTS = [
  'flask.request',
  'REQ',
  'bottle.request',
  'quart.request',
  'sanic.request',
  '?self.request',
  '?request',
];

const SOURCES = new NameTable<Source>([
  ...OBJECTS.map(
    (object) =>
      [
        MEMBERS.split(' ')
          .map((member) => `${object}.${member}`)
          .join(' '),
        remote('text of the request'),
      ] as const,
  ),
  [OBJECTS.map((object) => `${object}.json`).join(' '), remote('the body of the request', false)],
  ['sys.argv', { origin: 'local', note: 'an argument of the program', text: true }],
]);

const SOURCE_CALLS = new NameTable<Source>([
  [
    OBJECTS.flatMap((object) =>
      ['get_json', 'get_data', 'json', 'text', 'body', 'form', 'post', 'read'].map((member) => `${object}.${member}`),
    ).join(' '),
    remote('the body of the request', false),
  ],
  [
    '*.get_argument *.get_query_argument *.get_body_argument *.get_arguments *.get_query_argument *.get_cookie',
    remote('an argument of the request'),
  ],
  ['input raw_input sys.stdin.read sys.stdin.readline', { origin: 'local', note: 'what the user types', text: true }],
  ['argparse.ArgumentParser().parse_args', { origin: 'local', note: 'an argument of the program', text: true }],
  ['*.recv *.recvfrom', remote('data from the network')],
  ['*.namelist *.getnames *.infolist *.getmembers', remote('the name of a file in an archive')],
]);

const CLEANSES = new NameTable<readonly FindingClass[] | 'all'>([
  [
    'tempfile.mkdtemp tempfile.mkstemp tempfile.mktemp tempfile.gettempdir tempfile.NamedTemporaryFile tempfile.TemporaryDirectory os.getcwd os.getpid uuid.uuid4 uuid.uuid1 time.time datetime.datetime.now datetime.datetime.utcnow datetime.date.today os.urandom secrets.token_hex secrets.token_urlsafe platform.system socket.gethostname',
    'all',
  ],
  ['int float bool len abs round ord hash id uuid.UUID decimal.Decimal datetime.datetime.strptime', 'all'],
  ['*.isdigit *.startswith *.endswith *.hexdigest *.digest *.count *.index *.find *.isoformat *.exists', 'all'],
  [
    'html.escape markupsafe.escape flask.escape django.utils.html.escape cgi.escape bleach.clean xml.sax.saxutils.escape django.utils.html.format_html django.utils.html.strip_tags nh3.clean django.utils.html.conditional_escape',
    ['xss', 'template-injection'],
  ],
  ['markupsafe.Markup.escape', ['xss']],
  ['shlex.quote pipes.quote shlex.split', ['command-injection']],
  [
    'werkzeug.utils.secure_filename werkzeug.secure_filename os.path.basename django.utils.text.get_valid_filename',
    ['path-traversal', 'ssrf', 'open-redirect'],
  ],
  [
    'werkzeug.utils.safe_join flask.safe_join werkzeug.security.safe_join django.utils._os.safe_join',
    ['path-traversal'],
  ],
  [
    'urllib.parse.quote urllib.parse.quote_plus urllib.quote urllib.quote_plus urllib.parse.urlencode',
    ['xss', 'ssrf', 'open-redirect', 'path-traversal', 'header-injection'],
  ],
  ['re.escape', ['regex-dos']],
  [
    '*.escape_filter_chars ldap.filter.escape_filter_chars ldap3.utils.conv.escape_filter_chars ldap.dn.escape_dn_chars ldap3.utils.dn.escape_rdn',
    ['ldap-injection'],
  ],
  ['psycopg2.sql.Identifier psycopg2.sql.Literal psycopg.sql.Identifier psycopg.sql.Literal', ['sql-injection']],
  ['ast.literal_eval', ['code-injection']],
  [
    'pickle.dumps cPickle.dumps _pickle.dumps dill.dumps cloudpickle.dumps marshal.dumps jsonpickle.encode',
    ['deserialization'],
  ],
  [
    'flask.jsonify django.http.JsonResponse fastapi.responses.JSONResponse',
    ['xss', 'path-traversal', 'ssrf', 'open-redirect', 'header-injection', 'log-injection'],
  ],
  ['json.dumps', ['path-traversal', 'ssrf', 'open-redirect', 'header-injection', 'log-injection']],
  ['flask.url_for django.urls.reverse django.shortcuts.resolve_url', ['open-redirect', 'ssrf']],
]);

const ASKS =
  /^(execute\w*|fetch\w*|filter|exclude|all|first|last|one\w*|scalar\w*|query|select\w*|count|exists|has\w*|is_\w+|save|create|insert\w*|update|delete\w*|remove|authenticate|login|verify\w*|check\w*|send|emit|log|info|warning|warn|error|debug|exception|print|get_or_404|get_object_or_404|find_one|find|aggregate|setdefault|request|post|put|patch|urlopen|open|listdir|isinstance|issubclass|range|enumerate|super|search|match|fullmatch)$/;
const PASSES =
  /^(join|relpath|commonpath|format|format_map|replace|strip|lstrip|rstrip|split|rsplit|lower|upper|title|decode|encode|urljoin|urlparse|urlunparse|loads|dumps|b64decode|b64encode|unquote|unquote_plus|parse_qs|normpath|abspath|realpath|expanduser|Path|PurePath|str|bytes|dict|list|tuple|set|sorted|reversed|map|filter|zip|copy|deepcopy|getlist|get|pop|items|values|keys|text|StringIO|BytesIO|Template|Markup|mark_safe|SafeString|fromstring|from_string|render|render_template_string|literal|raw|concat|append|to_\w+|build\w*|make\w*|get_\w+|read|readline|readlines|with_\w+|cast|iter|next|dedent|substitute|safe_substitute|expandvars|unhexlify|urlsplit|ensure_str|smart_str|force_str)$/;
const HARMLESS_NAME = /saniti[sz]e|escape|validat|clean|allowlist|whitelist|^is_|hash|encrypt|digest|quote|secure_/i;

export const PYTHON: Model = {
  source: (ref) => SOURCES.get(ref),
  sourceCall: (ref) => SOURCE_CALLS.get(ref),
  cleanses(ref, method) {
    const known = CLEANSES.get(ref);
    if (known !== undefined) return known;
    return HARMLESS_NAME.test(method) && !/^(un|de|cleaned_data)/i.test(method) ? 'all' : undefined;
  },
  passes(ref, method) {
    if (PASSES.test(method)) return true;
    if (ASKS.test(method)) return false;
    return !ref.replace(/^\?/, '').includes('.') || ref.startsWith('./') || /^[A-Z]/.test(method);
  },
};
