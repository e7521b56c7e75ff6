import type { FlowLanguage } from '../parse/language.js';
import type { Expr, Func, Parameter } from './ir.js';
import type { ParameterMeaning } from './models/model.js';
import type { CallFacts } from './engine.js';
import { GO_NUMERIC, goType } from './models/go.js';
import { javaMeaning } from './models/java.js';
import { pathOf } from './places.js';
import type { Value } from './value.js';

/** Methods that take the handler of a route. */
export const ROUTE_METHODS = new Set([
  'get',
  'post',
  'put',
  'patch',
  'delete',
  'del',
  'all',
  'use',
  'route',
  'head',
  'options',
  'param',
  'register',
]);

/** What the handler of a route gets; undefined when the call is not one. */
export function routeArguments({ receiver, method, args }: CallFacts, fn: Func): Value[] | undefined {
  const from = receiver.ref ?? '';
  const count = fn.params.length;
  const [first] = fn.params;
  const name = first?.target.k === 'name' ? first.target.name : '';
  const isRoute =
    method === 'createServer' ||
    method === 'on' ||
    method === 'use' ||
    args[0]?.shape !== undefined ||
    args[0]?.regex !== undefined;
  if (!isRoute) return undefined;
  if (/koa|Router\(\)/.test(from) && (name === 'ctx' || name === 'context' || (/koa/i.test(from) && count <= 2)))
    return [{ ref: 'CTX' }];
  if (name === 'ctx' || (name === 'c' && count <= 2)) return [{ ref: 'CTX' }];
  if (method === 'param') return [{ ref: 'REQ' }, { ref: 'RES' }];
  if (count === 4) return [{ ref: 'ERROR' }, { ref: 'REQ' }, { ref: 'RES' }];
  // An HTTP client has the same methods; its callbacks take an answer.
  if (
    count === 1 &&
    !/^(_?req|request|\{)/.test(name) &&
    first?.target.k === 'name' &&
    !/express|fastify|app|router|server/i.test(from)
  )
    return undefined;
  if (/^(err|error|e|response|answer|res)$/.test(name) && count < 4) return undefined;
  return [{ ref: 'REQ' }, { ref: 'RES' }];
}

const REQUEST_TYPES =
  /^(Request|ExpressRequest|FastifyRequest|NextApiRequest|NextRequest|IncomingMessage|AuthenticatedRequest|AuthRequest|HttpRequest|WSGIRequest|HTTPConnection|RequestHandler)$/;
const RESPONSE_TYPES = /^(Response|ExpressResponse|FastifyReply|NextApiResponse|ServerResponse|NextResponse)$/;
const CONTEXT_TYPES = /^(Context|KoaContext|ParameterizedContext|RouterContext)$/;
const HARMLESS_TYPES =
  /^(number|boolean|int|float|bool|literal|Literal|Decimal|UUID|date|datetime|Session|AsyncSession|Depends|BackgroundTasks|Response|UploadFile|WebSocket)$/;

/** Whether the type, the pipe or the pattern of a parameter lets only numbers, names of a list or the like through. */
export function isChecked(parameter: Parameter, text: string): boolean {
  if (/^(literal|Literal|UUID|date|datetime|Decimal)$/.test(parameter.type ?? '')) return true;
  const pipes = parameter.decorators.flatMap((mark) => (mark.k === 'call' ? mark.args : []));
  if (pipes.some(({ value }) => CHECKING_PIPE.test(pathOf(value.k === 'call' ? value.callee : value) ?? '')))
    return true;
  return PATTERN_OF_PARAMETER.test(text.slice(parameter.target.start, parameter.target.start + 200));
}

const CHECKING_PIPE = /^Parse(Int|Float|UUID|Bool|Enum|Date)Pipe$/;
/** `sku: Annotated[str, Path(pattern=r"^…$")]`, `sku: str = Query(pattern="^…$")`. */
const PATTERN_OF_PARAMETER =
  /^\w+\s*:\s*(?:Annotated\[[^\]]*?|[\w. |]+=\s*(?:Query|Path|Body|Header|Cookie|Form)\([^)]*?)(?:pattern|regex)\s*=\s*r?["']\^[^"']*\$["']/;

const markName = (mark: Expr): string => pathOf(mark.k === 'call' ? mark.callee : mark) ?? '';

const PYTHON_ROUTE = /(^|\.)(route|get|post|put|patch|delete|websocket|api_route|head|options|expose|view)$/;
const NEXT_VERBS = /^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|loader|action|middleware)$/;

/** What a parameter is when the function is called from outside of the project. */
export function meaningOf(
  fn: Func,
  parameter: Parameter,
  index: number,
  language: FlowLanguage,
  path: string,
  text: string,
): ParameterMeaning {
  const name = parameter.target.k === 'name' ? parameter.target.name : '';
  switch (language) {
    case 'javascript':
      return javascriptMeaning(fn, parameter, index, name, path, text);
    case 'python':
      return pythonMeaning(fn, parameter, index, name, path);
    case 'go':
      return goMeaning(fn, parameter, name);
    case 'java':
      return javaMeaning(fn, parameter, name);
  }
}

/** A type says what a value is; texts and bytes that a function of others is given are theirs. */
function goMeaning(fn: Func, parameter: Parameter, name: string): ParameterMeaning {
  const type = goType(parameter.type ?? '');
  if (GO_NUMERIC.test(type)) return undefined;
  if (type !== '' && !/^(string|\[\]|map|any|interface\{\})$/.test(type)) return { ref: type };
  return fn.exported && name !== '_' ? { source: { origin: 'caller', note: `the parameter ${name}` } } : undefined;
}

function javascriptMeaning(
  fn: Func,
  parameter: Parameter,
  index: number,
  name: string,
  path: string,
  text: string,
): ParameterMeaning {
  for (const mark of parameter.decorators) {
    const called = markName(mark);
    if (
      /^(Body|Query|Param|Params|Headers|Cookies|UploadedFile|UploadedFiles|RawBody|QueryParams|BodyParam|QueryParam|HeaderParam|CookieParam|Args|MessageBody)$/.test(
        called,
      )
    )
      return HARMLESS_TYPES.test(parameter.type ?? '')
        ? undefined
        : { source: { origin: 'remote', note: `a parameter that the client sends (@${called})` } };
    if (/^(Req|Request)$/.test(called)) return { ref: 'REQ' };
    if (/^(Res|Response)$/.test(called)) return { ref: 'RES' };
    if (called === 'Ctx') return { ref: 'CTX' };
  }
  if (parameter.type !== undefined) {
    if (REQUEST_TYPES.test(parameter.type)) return { ref: 'REQ' };
    if (RESPONSE_TYPES.test(parameter.type) && /res|reply/i.test(name)) return { ref: 'RES' };
    if (CONTEXT_TYPES.test(parameter.type)) return { ref: 'CTX' };
    if (HARMLESS_TYPES.test(parameter.type)) return undefined;
  }
  if (/^_?(req|request)$/.test(name)) return { ref: 'REQ' };
  if (/^(res|response|reply|resp)$/.test(name) && index > 0) return { ref: 'RES' };
  if (name === 'ctx' && index === 0) return { ref: 'CTX' };
  if (name === '' && index === 0 && parameter.target.k === 'object') {
    const keys = parameter.target.entries.map(({ key }) => key ?? '');
    if (/^(getServerSideProps|getStaticProps)$/.test(fn.name) || keys.some((key) => key === 'searchParams'))
      return { ref: 'NEXT' };
    if (NEXT_VERBS.test(fn.name) && keys.includes('request')) return { ref: 'NEXT' };
  }
  if (/^(getServerSideProps|getInitialProps)$/.test(fn.name) && index === 0) return { ref: 'NEXT' };
  if (NEXT_VERBS.test(fn.name) && fn.exported && /(^|\/)(route|middleware)\.[jt]sx?$/.test(path))
    return index === 0 ? { ref: 'REQ' } : { ref: 'NEXT' };
  if (name === 'event' && index === 0 && (/^(handler|lambdaHandler|main)$/.test(fn.name) || answersCloud(fn, text)))
    return { source: { origin: 'remote', note: 'the event of a function in the cloud' } };
  // An action of Next: a form of the page, or a call of its script.
  if (fn.exported && fn.async && SERVER_ACTIONS.test(text))
    return { source: { origin: 'remote', note: 'what the page sends to an action' } };
  return fn.exported && name !== '' ? { source: { origin: 'caller', note: `the parameter ${name}` } } : undefined;
}

const SERVER_ACTIONS = /^\s*(?:(?:\/\/[^\n]*|\/\*[\s\S]*?\*\/)\s*)*['"]use server['"]/;

/** A function of a cloud that is called by HTTP, by what it reads of its event. */
const answersCloud = (fn: Func, text: string): boolean =>
  /\bevent\.(queryStringParameters|pathParameters|rawPath|requestContext|multiValueQueryStringParameters)\b|JSON\.parse\(event\.body/.test(
    text.slice(fn.start, fn.end),
  );

function pythonMeaning(fn: Func, parameter: Parameter, index: number, name: string, path: string): ParameterMeaning {
  // A code object was compiled by somebody before; it is no text.
  if (name === 'self' || name === 'cls' || /^(int|float|bool|CodeType)$/.test(parameter.type ?? '')) return undefined;
  if (/^(request|req)$/.test(name) && index <= 1) return { ref: 'REQ' };
  if (parameter.type !== undefined && REQUEST_TYPES.test(parameter.type)) return { ref: 'REQ' };
  // A view of Django takes parts of the path after the request.
  const asked = fn.params.slice(0, index).some(({ target }) => target.k === 'name' && target.name === 'request');
  if (asked && /(^|\/)(views?|api|viewsets)(\/[^/]*)?\.py$/.test(path) && !HARMLESS_TYPES.test(parameter.type ?? ''))
    return { source: { origin: 'remote', note: `the part ${name} of the path`, text: true } };
  if (name === 'event' && index === 0 && /handler/.test(fn.name))
    return { source: { origin: 'remote', note: 'the event of a function in the cloud' } };
  const route = fn.decorators.find((mark) => mark.k === 'call' && PYTHON_ROUTE.test(markName(mark)));
  const initial = parameter.initial?.k === 'call' ? markName(parameter.initial) : '';
  if (route && !HARMLESS_TYPES.test(parameter.type ?? '') && !/^(Depends|Security|File)$/.test(initial)) {
    const first = route.k === 'call' ? route.args[0]?.value : undefined;
    const pattern = first?.k === 'const' ? String(first.value) : '';
    if (new RegExp(`<(int|float|uuid):${name}>|\\{${name}:(int|float|uuid)\\}`).test(pattern)) return undefined;
    return { source: { origin: 'remote', note: `the parameter ${name} of a route` } };
  }
  return name === '' ? undefined : { source: { origin: 'caller', note: `the parameter ${name}` } };
}
