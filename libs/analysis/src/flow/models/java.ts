import type { FindingClass } from '@devmesh/contracts/finding';
import type { Func, Parameter } from '../ir.js';
import { NameTable, type Model, type ParameterMeaning, type Source } from './model.js';

const remote = (note: string, text = true): Source => ({ origin: 'remote', note, ...(text ? { text } : {}) });

const REQUEST =
  /^(Http)?Servlet(Request|RequestWrapper)$|^HttpServletRequestWrapper$|^(Native)?WebRequest$|^ServerHttpRequest$/;
const RESPONSE = /^(Http)?ServletResponse(Wrapper)?$|^ServerHttpResponse$/;

export const JAVA_NUMERIC =
  /^(byte|short|int|long|float|double|boolean|char|Byte|Short|Integer|Long|Float|Double|Boolean|Character|BigInteger|BigDecimal|UUID|LocalDate|LocalDateTime|Instant|Date|Duration)$/;

/** The name under which a type is spoken of. Types go by their simple names. */
export const javaTypeName = (type: string): string => (REQUEST.test(type) ? 'REQ' : RESPONSE.test(type) ? 'RES' : type);

const SOURCE_CALLS = new NameTable<Source>([
  [
    [
      'getParameter',
      'getParameterValues',
      'getParameterMap',
      'getParameterNames',
      'getHeader',
      'getHeaders',
      'getHeaderNames',
      'getQueryString',
      'getCookies',
      'getRequestURI',
      'getRequestURL',
      'getPathInfo',
      'getPathTranslated',
      'getServletPath',
      'getReader',
      'getInputStream',
      'getPart',
      'getParts',
      'getRemoteUser',
      'getQueryParams',
      'getURI',
    ]
      .map((name) => `REQ.${name}`)
      .join(' '),
    remote('text of the request'),
  ],
  [
    'MultipartFile.getOriginalFilename Part.getSubmittedFileName FileItem.getName',
    remote('the name of an uploaded file'),
  ],
  [
    'ZipInputStream.getNextEntry().getName JarInputStream.getNextEntry().getName JarInputStream.getNextJarEntry().getName TarArchiveInputStream.getNextEntry().getName TarArchiveInputStream.getNextTarEntry().getName ZipArchiveInputStream.getNextEntry().getName ArchiveInputStream.getNextEntry().getName ZipEntry.getName JarEntry.getName TarArchiveEntry.getName ZipArchiveEntry.getName ArchiveEntry.getName',
    { origin: 'archive', note: 'a name in an archive', text: true },
  ],
  ['Scanner.nextLine Scanner.next', { origin: 'local', note: 'what the user types', text: true }],
]);

const PLACES: readonly FindingClass[] = ['path-traversal', 'ssrf', 'open-redirect'];
const MARKUP: readonly FindingClass[] = ['xss', 'header-injection', 'log-injection'];

const CLEANSES = new NameTable<readonly FindingClass[] | 'all'>([
  [
    '*.startsWith *.endsWith *.includes *.indexOf *.matches *.isEmpty *.length *.size *.hashCode *.compareTo *.lastIndexOf *.isBlank',
    'all',
  ],
  [
    '*.encodeForHTML *.encodeForHTMLAttribute *.encodeForJavaScript *.forHtml *.forHtmlContent *.forHtmlAttribute *.forJavaScript *.htmlEscape *.escapeHtml *.escapeHtml4 *.escapeHtml3 *.escapeEcmaScript',
    MARKUP,
  ],
  ['*.encodeForLDAP *.encodeForDN *.filterEncode *.nameEncode *.encodeFilterValue', ['ldap-injection']],
  ['*.encodeForXPath', ['xpath-injection']],
  ['*.encodeForSQL', ['sql-injection']],
  ['*.encodeForOS', ['command-injection']],
  [
    '*.encodeForURL URLEncoder.encode UriUtils.encode UriUtils.encodePath UriUtils.encodeQueryParam',
    [...MARKUP, ...PLACES],
  ],
  ['FilenameUtils.getName *.getFileName StringUtils.getFilename', PLACES],
  ['File.getName', PLACES],
  ['Encode.forJava StringEscapeUtils.escapeJava', ['log-injection', 'header-injection']],
  ['Jsoup.clean PolicyFactory.sanitize', ['xss']],
  ['DigestUtils.md5Hex DigestUtils.sha256Hex BCrypt.hashpw', 'all'],
]);

const HARMLESS_NAME = /saniti[sz]e|escape|validat|allowlist|whitelist|^is[A-Z]|^hash|encrypt|digest|quote/i;
const ASKS =
  /^(execute\w*|query\w*|find\w*|select\w*|count\w*|exists\w*|has[A-Z]\w*|save\w*|create\w*|insert\w*|update\w*|delete\w*|remove\w*|login|verify\w*|check\w*|send\w*|log|info|warn|error|debug|trace|print\w*|write|load\w*|lookup|search|setAttribute|setHeader|addHeader|addCookie|set[A-Z]\w*|contains\w*)$/;
const PASSES =
  /^(valueOf|format|formatted|concat|join|replace\w*|substring|split|trim|strip\w*|to[A-Z]\w*|get\w*|decode\w*|encode\w*|append|copyOf\w*|asList|of|ofNullable|orElse\w*|next\w*|read\w*|clone|parse|resolve|normalize|create|builder|build|with\w*|String|StringBuilder|StringBuffer|StringReader|InputStreamReader|BufferedReader|BufferedInputStream|ByteArrayInputStream|FilterInputStream|URL|URI|File|uri|url|map|flatMap|collect|stream|iterator|doSomething|apply|intern|repeat|chars|lines|unescape\w*|requireNonNull\w*|nullToEmpty|defaultString|defaultIfEmpty|capitalize|process|convert\w*|transform\w*|make\w*|do[A-Z]\w*)$/;

export const JAVA: Model = {
  source: () => undefined,
  sourceCall: (ref) => SOURCE_CALLS.get(ref),
  cleanses(ref, method) {
    const known = CLEANSES.get(ref);
    if (known !== undefined) return known;
    return HARMLESS_NAME.test(method) && !/^un|^set/i.test(method) ? 'all' : undefined;
  },
  passes: (_, method) =>
    !/^(get|getOrDefault|getProperty|getIfPresent)$/.test(method) && (PASSES.test(method) || !ASKS.test(method)),
};

const SENT =
  /^(RequestParam|PathVariable|RequestBody|RequestHeader|CookieValue|ModelAttribute|MatrixVariable|RequestPart|PathParam|QueryParam|FormParam|HeaderParam|CookieParam|MatrixParam|BeanParam|RestQuery|RestPath|Argument|Payload)$/;
const ROUTE =
  /^((Get|Post|Put|Patch|Delete|Request)Mapping|GET|POST|PUT|DELETE|PATCH|Path|MessageMapping|QueryMapping|KafkaListener|RabbitListener)$/;
const OF_FRAMEWORK =
  /^(REQ|RES|Model|ModelMap|ModelAndView|HttpSession|Principal|Authentication|BindingResult|Errors|Pageable|Sort|RedirectAttributes|Locale|MultipartFile|SessionStatus|UriComponentsBuilder|UriInfo|SecurityContext|HttpHeaders|Jwt|UserDetails|OAuth2User|OidcUser|TimeZone|InputStream|Reader|Map|List)$/;

const nameOf = (mark: Parameter['decorators'][number]): string =>
  mark.k === 'name' ? mark.name : mark.k === 'call' && mark.callee.k === 'name' ? mark.callee.name : '';

/** What a parameter of a method is when a framework, or a stranger, calls it. */
export function javaMeaning(fn: Func, parameter: Parameter, name: string): ParameterMeaning {
  const type = javaTypeName(parameter.type ?? '');
  if (JAVA_NUMERIC.test(type)) return undefined;
  const sent = parameter.decorators.map(nameOf).find((mark) => SENT.test(mark));
  if (sent !== undefined) return { source: { origin: 'remote', note: `a parameter that the client sends (@${sent})` } };
  if (
    fn.decorators.some((mark) => ROUTE.test(nameOf(mark))) &&
    !OF_FRAMEWORK.test(type) &&
    parameter.decorators.length === 0
  )
    return { source: { origin: 'remote', note: `the parameter ${name} of a route` } };
  if (fn.name === 'main' && type === '[]')
    return { source: { origin: 'local', note: 'an argument of the program', text: true } };
  if (type !== '' && !/^(String|\[\]|Object|CharSequence)$/.test(type)) return { ref: type };
  return fn.exported ? { source: { origin: 'caller', note: `the parameter ${name}` } } : undefined;
}
