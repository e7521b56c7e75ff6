import type { FindingClass } from '@devmesh/contracts/finding';
import { NameTable, type Model, type Source } from './model.js';

const remote = (note: string, text = true): Source => ({ origin: 'remote', note, ...(text ? { text } : {}) });

/** Types of the standard library and of frameworks by short names, where rules or this model speak of them. */
const TYPES: Readonly<Record<string, string>> = {
  'net/http.Request': 'REQ',
  'net/http.ResponseWriter': 'RES',
  'github.com/gin-gonic/gin.Context': 'GIN',
  'github.com/labstack/echo.Context': 'ECHO',
  'github.com/gofiber/fiber.Ctx': 'FIBER',
  'github.com/gofiber/fiber.Context': 'FIBER',
  'github.com/valyala/fasthttp.RequestCtx': 'FASTHTTP',
  'github.com/beego/beego/server/web/context.Context': 'BEEGO',
};

/** What calls give, where later calls are told by it. */
const RESULTS = new NameTable<string>([
  ['database/sql.Open database/sql.OpenDB *.MustConnect', 'database/sql.DB'],
  ['database/sql.DB.Begin database/sql.DB.BeginTx', 'database/sql.Tx'],
  ['gorm.io/gorm.Open github.com/jinzhu/gorm.Open', 'gorm.io/gorm.DB'],
  [
    'github.com/jmoiron/sqlx.Connect github.com/jmoiron/sqlx.Open github.com/jmoiron/sqlx.MustConnect',
    'database/sql.DB',
  ],
  ['archive/zip.OpenReader archive/zip.NewReader', 'archive/zip.Reader'],
  ['archive/tar.NewReader', 'archive/tar.Reader'],
  ['archive/tar.Reader.Next', 'archive/tar.Header'],
  ['net/http.NewRequest net/http.NewRequestWithContext', 'OUTGOING'],
]);

const SOURCES = new NameTable<Source>([
  [
    'REQ.URL.Path REQ.URL.RawQuery REQ.URL.RawPath REQ.URL.Fragment REQ.RequestURI REQ.Host REQ.URL.Host REQ.RemoteAddr REQ.Pattern',
    remote('text of the request'),
  ],
  [
    'REQ.URL REQ.Form REQ.PostForm REQ.MultipartForm REQ.Header REQ.Body REQ.Trailer',
    remote('data of the request', false),
  ],
  [
    'GIN.Params GIN.Request.Body GIN.Request.URL.Path GIN.Request.URL GIN.Request.Header GIN.Request.Form GIN.Request.PostForm GIN.Request.Host',
    remote('data of the request'),
  ],
  [
    'archive/zip.Reader.File.[].Name archive/zip.ReadCloser.File.[].Name archive/zip.File.Name archive/zip.FileHeader.Name archive/tar.Header.Name archive/tar.Header.Linkname',
    { origin: 'archive', note: 'a name in an archive', text: true },
  ],
  ['os.Args', { origin: 'local', note: 'an argument of the program', text: true }],
]);

const REQUESTS = ['REQ', 'GIN.Request', 'ECHO.Request()'];
const SOURCE_CALLS = new NameTable<Source>([
  [
    REQUESTS.flatMap((request) =>
      [
        'FormValue',
        'PostFormValue',
        'PathValue',
        'URL.Query',
        'URL.Query().Get',
        'URL.String',
        'URL.EscapedPath',
        'URL.RequestURI',
        'Header.Get',
        'Header.Values',
        'Form.Get',
        'PostForm.Get',
        'Cookie',
        'Cookies',
        'CookiesNamed',
        'UserAgent',
        'Referer',
        'MultipartReader',
        'BasicAuth',
      ].map((member) => `${request}.${member}`),
    ).join(' '),
    remote('text of the request'),
  ],
  [
    'GIN.Query GIN.DefaultQuery GIN.GetQuery GIN.QueryArray GIN.QueryMap GIN.GetQueryArray GIN.PostForm GIN.DefaultPostForm GIN.GetPostForm GIN.PostFormArray GIN.PostFormMap GIN.Param GIN.GetHeader GIN.Cookie GIN.GetRawData GIN.Params.ByName',
    remote('text of the request'),
  ],
  [
    'ECHO.QueryParam ECHO.QueryParams ECHO.QueryString ECHO.FormValue ECHO.FormParams ECHO.Param ECHO.ParamValues ECHO.Cookie ECHO.Cookies ECHO.Request().Header.Get',
    remote('text of the request'),
  ],
  [
    'FIBER.Query FIBER.Params FIBER.FormValue FIBER.Body FIBER.BodyRaw FIBER.Get FIBER.Cookies FIBER.OriginalURL FIBER.Path FIBER.Hostname FIBER.Queries FIBER.AllParams',
    remote('text of the request'),
  ],
  [
    'FASTHTTP.FormValue FASTHTTP.QueryArgs FASTHTTP.PostArgs FASTHTTP.PostBody FASTHTTP.Path FASTHTTP.UserValue FASTHTTP.RequestURI',
    remote('text of the request'),
  ],
  [
    'github.com/go-chi/chi.URLParam github.com/gorilla/mux.Vars github.com/go-chi/chi.URLParamFromCtx',
    remote('a part of the path'),
  ],
  ['*.GetString *.Ctx.Input.Query', remote('an argument of the request')],
  ['flag.Arg flag.Args', { origin: 'local', note: 'an argument of the program', text: true }],
  ['*.ReadMessage', remote('a message of a client')],
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
    'strconv.Atoi strconv.ParseInt strconv.ParseUint strconv.ParseFloat strconv.ParseBool len cap int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 uintptr float32 float64 bool time.Parse time.ParseDuration github.com/google/uuid.Parse github.com/google/uuid.MustParse net.ParseIP net/netip.ParseAddr',
    'all',
  ],
  ['*.startsWith *.endsWith *.includes *.indexOf *.test *.has *.Len *.Size *.Unix *.Sum *.Sum32 *.Sum64', 'all'],
  ['golang.org/x/crypto/bcrypt.GenerateFromPassword golang.org/x/crypto/bcrypt.CompareHashAndPassword', 'all'],
  [
    'html.EscapeString html/template.HTMLEscapeString html/template.HTMLEscaper text/template.HTMLEscapeString',
    ['xss'],
  ],
  ['html/template.JSEscapeString text/template.JSEscapeString', ['xss']],
  ['net/url.QueryEscape net/url.PathEscape', MARKUP],
  ['path/filepath.Base path.Base', PLACES],
  ['github.com/cyphar/filepath-securejoin.SecureJoin', ['path-traversal']],
  ['github.com/lib/pq.QuoteIdentifier github.com/lib/pq.QuoteLiteral', ['sql-injection']],
  ['strconv.Quote strconv.QuoteToASCII', ['log-injection', 'header-injection']],
  [
    'encoding/hex.EncodeToString encoding/base64.StdEncoding.EncodeToString encoding/base64.URLEncoding.EncodeToString',
    [...MARKUP, 'sql-injection', 'command-injection'],
  ],
  [
    'encoding/json.Marshal encoding/json.MarshalIndent',
    ['xss', 'log-injection', 'header-injection', 'path-traversal', 'ssrf'],
  ],
]);

const HARMLESS_NAME =
  /saniti[sz]e|escape|validat|^clean[A-Z]|allowlist|whitelist|^Is[A-Z]|^is[A-Z]|^hash|encrypt|digest|quote|^Safe|^safe/i;

/** Packages whose functions give back what they are given, in some form. */
const PASSING =
  /^(strings|bytes|fmt|path|path\/filepath|net\/url|io|io\/ioutil|bufio|encoding\/\w+|unicode\/\w+|net\/textproto|mime|mime\/\w+|html|compress\/\w+|archive\/\w+|text\/template|html\/template|append|errors|regexp|time|sort|slices|maps|context|github\.com\/pkg\/errors)(\.|$)/;
const PASSES =
  /^(append|copy|min|max|string|trim|join|slice|replace\w*|toLowerCase|toUpperCase|\w*(String|Bytes|Text|Decode|Read|ReadAll|Join|Format|Build|Parse|Render|With\w*|Wrap\w*)|New\w*|Make\w*|To[A-Z]\w*|Get\w*|get\w*|build\w*|make\w*|format\w*|to[A-Z]\w*|normali[sz]e\w*|parse\w*|Scan|Bytes|Value|Get)$/;

export const GO: Model = {
  source: (ref) => SOURCES.get(ref),
  sourceCall: (ref) => SOURCE_CALLS.get(ref),
  cleanses(ref, method) {
    const known = CLEANSES.get(ref);
    if (known !== undefined) return known;
    return HARMLESS_NAME.test(method) && !/^un/i.test(method) ? 'all' : undefined;
  },
  passes: (ref, method) =>
    PASSING.test(ref) || PASSES.test(method) || !ref.replace(/^\?/, '').includes('.') || ref.startsWith('./'),
};

/** The name under which a type is spoken of. */
export const goType = (type: string): string => TYPES[type] ?? type;

export const goResult = (ref: string): string | undefined => RESULTS.get(ref);

export const GO_NUMERIC = /^(u?int(8|16|32|64|ptr)?|float(32|64)|byte|rune|bool|time\.Duration|time\.Time)$/;
