import type { FindingClass } from '@devmesh/contracts/finding';
import { NameTable, type Model, type Source } from './model.js';

const remote = (note: string, text = false): Source => ({ origin: 'remote', note, ...(text ? { text } : {}) });

const SOURCES = new NameTable<Source>([
  [
    'REQ.query REQ.body REQ.files REQ.file REQ.rawBody REQ.cookies CTX.query CTX.request.query CTX.request.body CTX.request.files NEXT.query NEXT.searchParams NEXT.body NEXT.req.body NEXT.req.query NEXT.req.cookies',
    remote('data of the request'),
  ],
  [
    'REQ.params REQ.headers REQ.url REQ.originalUrl REQ.rawHeaders REQ.hostname REQ.nextUrl.searchParams REQ.nextUrl.search CTX.params CTX.headers CTX.header CTX.querystring CTX.url CTX.originalUrl CTX.request.headers CTX.request.header CTX.request.url CTX.request.querystring CTX.request.params CTX.req.url CTX.req.headers NEXT.params NEXT.req.headers NEXT.req.url NEXT.resolvedUrl',
    remote('text of the request', true),
  ],
  [
    'location.search location.hash location.href window.location.search window.location.hash window.location.href document.location.search document.location.hash document.location.href self.location.hash document.URL document.documentURI document.referrer window.name',
    remote('the address of the page', true),
  ],
  ['window.location document.location', remote('the address of the page', true)],
  ['MESSAGE.data', remote('a message of another window')],
  ['next/router.useRouter().query', remote('the query of the page')],
  [
    'ARCHIVED.path ARCHIVED.fileName ARCHIVED.name ARCHIVED.header.name *.entryName',
    remote('the name of a file in an archive', true),
  ],
  ['process.argv', { origin: 'local', note: 'an argument of the program', text: true }],
]);

const SOURCE_CALLS = new NameTable<Source>([
  [
    'REQ.get REQ.header REQ.param CTX.get CTX.request.get CTX.cookies.get CTX.req.query CTX.req.param CTX.req.header CTX.req.queries REQ.headers.get REQ.cookies.get REQ.nextUrl.searchParams.get',
    remote('text of the request', true),
  ],
  [
    'REQ.json REQ.formData REQ.text CTX.req.json CTX.req.parseBody CTX.req.text CTX.request.body',
    remote('the body of the request'),
  ],
  [
    'next/navigation.useSearchParams next/navigation.useParams react-router-dom.useParams react-router-dom.useSearchParams',
    remote('the address of the page', true),
  ],
  ['prompt window.prompt', { origin: 'local', note: 'what the user types', text: true }],
]);

const PLACES: readonly FindingClass[] = ['path-traversal', 'ssrf', 'open-redirect'];
const MARKUP: readonly FindingClass[] = [
  'xss',
  'open-redirect',
  'header-injection',
  'log-injection',
  'path-traversal',
  'ssrf',
];

const CLEANSES = new NameTable<readonly FindingClass[] | 'all'>([
  [
    'parseInt parseFloat Number BigInt Boolean Number.parseInt Number.parseFloat Math.floor Math.round Math.min Math.max Math.abs Math.ceil Math.trunc isNaN',
    'all',
  ],
  [
    '*.digest *.randomUUID *.toISOString *.getTime *.toFixed *.indexOf *.includes *.startsWith *.endsWith *.has *.test *.localeCompare *.charCodeAt *.codePointAt *.isValid Array.isArray',
    'all',
  ],
  [
    'os.tmpdir os.homedir os.hostname os.platform os.cpus process.cwd process.hrtime Date.now fs.mkdtemp fs.mkdtempSync fs.promises.mkdtemp',
    'all',
  ],
  [
    'bcrypt.hash bcrypt.hashSync bcrypt.compare bcryptjs.hash bcryptjs.hashSync crypto.randomBytes crypto.randomUUID uuid.v4 uuid.v5 mongodb.ObjectId mongoose.Types.ObjectId mongodb.ObjectID bson.ObjectId',
    'all',
  ],
  ['encodeURIComponent escape querystring.escape', MARKUP],
  ['encodeURI', ['xss', 'header-injection']],
  [
    'escape-html escape-html.default lodash.escape underscore.escape _.escape he.encode he.escape validator.escape sanitize-html xss dompurify.sanitize DOMPurify.sanitize isomorphic-dompurify.sanitize html-escaper.escape entities.encode entities.escapeUTF8 Handlebars.escapeExpression handlebars.escapeExpression',
    ['xss'],
  ],
  ['*.sanitize *.escapeHtml *.escapeHTML *.htmlEscape *.encodeHTML *.encodeForHTML', ['xss']],
  // Templates escape what is put into them; that a template is somebody's own text is told by itself.
  [
    'ejs.render ejs.renderFile pug.render pug.renderFile nunjucks.render nunjucks.renderString nunjucks.configure().render nunjucks.Environment().render mustache.render Mustache.render eta.render handlebars.compile() Handlebars.compile() pug.compile() ejs.compile()',
    ['xss'],
  ],
  ['path.basename', PLACES],
  ['sanitize-filename sanitize-filename.default', PLACES],
  [
    'mysql.format mysql2.format sqlstring.format *.escapeId mysql.escape mysql2.escape sqlstring.escape pg-escape pg-format *.escapeLiteral *.escapeIdentifier *.quoteIdentifier',
    ['sql-injection'],
  ],
  ['*.escape', ['sql-injection', 'xss', 'regex-dos', 'ldap-injection']],
  ['shell-quote.quote shell-escape shescape.quote shescape.escape any-shell-escape', ['command-injection']],
  [
    'lodash.escapeRegExp _.escapeRegExp escape-string-regexp escape-string-regexp.default *.escapeRegExp *.escapeRegex',
    ['regex-dos', 'nosql-injection'],
  ],
  ['String *.toString', ['nosql-injection']],
  ['express-mongo-sanitize.sanitize mongo-sanitize', ['nosql-injection']],
  [
    'JSON.stringify',
    ['nosql-injection', 'path-traversal', 'ssrf', 'open-redirect', 'header-injection', 'log-injection'],
  ],
  ['*.parseAsync *.safeParse *.validateAsync *.validateSync', ['nosql-injection']],
  ['*.keys', []],
]);

/** Methods that ask somebody for something by what they are given: the answer is not what they were given. */
const ASKS =
  /^(find\w*|get|query|execute|exec|fetch\w*|request|load\w*|select\w*|count\w*|has\w*|is[A-Z]\w*|save|create|insert\w*|update\w*|delete\w*|remove\w*|authenticate|login|verify|compare|send|emit|log|info|warn|error|debug|status|json|then|on|once|addEventListener|setTimeout|setInterval|next|readFile\w*|stat\w*|exists\w*|lookup|search|list)$/;

/** Clients of HTTP that are called by their own name. */
const ASKS_BY_ITSELF = /^(axios|got|ky|needle|superagent|request|node-fetch|cross-fetch|undici)(\.default)?$/;

const PASSES =
  /^(concat|join|relative|replace|replaceAll|format|inspect|resolve|normalize|parse|stringify|from|of|decode\w*|encode|unescape|toString|merge|assign|extend|defaults|clone|cloneDeep|pick|omit|map|trim|split|slice|substring|substr|padStart|padEnd|repeat|sprintf|wrap|append|prepend|to[A-Z]\w*|build\w*|make\w*|render\w*|compile|interpolate|URL|URLSearchParams|Buffer|atob|btoa|String|push|raw|literal|unserialize|template|transform|convert\w*|process\w*|with[A-Z]\w*|set\w*|add\w*|`)$/;

const HARMLESS_NAME =
  /saniti[sz]e|escape|validat|purify|whitelist|allowlist|^is[A-Z]|^check|^hash|encrypt|digest|^verify|quote/i;

export const JAVASCRIPT: Model = {
  source: (ref) => SOURCES.get(ref),
  sourceCall: (ref) => SOURCE_CALLS.get(ref),
  cleanses(ref, method) {
    const known = CLEANSES.get(ref);
    if (known !== undefined) return known;
    return HARMLESS_NAME.test(method) && !/^(un|de)/i.test(method) ? 'all' : undefined;
  },
  passes(ref, method) {
    if (ASKS_BY_ITSELF.test(ref)) return false;
    if (ASKS.test(method)) return false;
    if (PASSES.test(method)) return true;
    // A function whose code is not known, and no method of anything.
    return !ref.replace(/^\?/, '').includes('.') || ref.startsWith('./');
  },
};
