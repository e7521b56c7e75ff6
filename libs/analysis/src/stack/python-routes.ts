import type { Node } from '../parse/syntax.js';
import { pythonArguments, pythonString, stringArgument, type PythonValues } from './python-values.js';
import type { MountFact, RouteFact, SourceFacts } from './source-facts.js';

const METHODS = new Set('get post put patch delete head options'.split(' '));
const FACTORY = /(^|\.)(Flask|Blueprint|FastAPI|APIRouter|Starlette|Quart|Sanic)$/;

type RouteFacts = Pick<SourceFacts, 'routes' | 'mounts' | 'applications' | 'prefixes'>;

function slashed(path: string): string {
  const trimmed = path.replace(/^\/+/, '');
  return `/${trimmed}`;
}

/** Routes of Flask, FastAPI and Django, and what is mounted where. */
export function pythonRoutes(root: Node, text: string, values: PythonValues): RouteFacts {
  const routes: RouteFact[] = [];
  const mounts: MountFact[] = [];
  const prefixes = new Map<string, string>();
  const applications: { name: string; factory: string; line: number }[] = [];
  for (const [name, value] of values.assigned()) {
    const factory = value.is('call') ? FACTORY.exec(value.field('function')?.text() ?? '')?.[2] : undefined;
    if (factory === undefined) continue;
    applications.push({ name, factory, line: value.range().start.line + 1 });
    const args = pythonArguments(value);
    const prefix = pythonString(args.named.get('prefix') ?? args.named.get('url_prefix'));
    if (prefix !== undefined) prefixes.set(name, prefix);
  }
  if (text.includes('@')) {
    for (const decorated of root.findAll({ rule: { kind: 'decorated_definition' } })) {
      for (const decorator of decorated.namedChildren()) {
        const call = decorator.is('decorator') ? decorator.namedChildren()[0] : undefined;
        if (call?.is('call')) routes.push(...decoratorRoutes(call));
      }
    }
  }
  if (/include_router|register_blueprint|urlpatterns/.test(text)) {
    for (const call of root.findAll({ rule: { kind: 'call' } })) readMount(call, values, mounts, routes);
  }
  return { routes, mounts, applications, prefixes };
}

function decoratorRoutes(call: Node): RouteFact[] {
  const callee = call.field('function');
  if (!callee?.is('attribute')) return [];
  const on = callee.field('object')?.text() ?? '';
  const verb = callee.field('attribute')?.text() ?? '';
  const args = pythonArguments(call);
  const path = stringArgument(args, 0, verb === 'route' ? 'rule' : 'path');
  if (path === undefined || (path !== '' && !path.startsWith('/'))) return [];
  const line = call.range().start.line + 1;
  if (METHODS.has(verb)) return [{ method: verb.toUpperCase(), path: slashed(path), on, line }];
  if (verb !== 'route' && verb !== 'api_route') return [];
  const listed = (args.named.get('methods')?.namedChildren() ?? []).flatMap((node) => pythonString(node) ?? []);
  return (listed.length > 0 ? listed : ['GET']).map((method) => ({
    method: method.toUpperCase(),
    path: slashed(path),
    on,
    line,
  }));
}

function readMount(call: Node, values: PythonValues, mounts: MountFact[], routes: RouteFact[]): void {
  const callee = call.field('function');
  const args = pythonArguments(call);
  if (callee?.is('attribute')) {
    const verb = callee.field('attribute')?.text() ?? '';
    const target = args.positional[0];
    if ((verb !== 'include_router' && verb !== 'register_blueprint') || !target) return;
    const on = callee.field('object')?.text() ?? '';
    const prefix = pythonString(args.named.get(verb === 'include_router' ? 'prefix' : 'url_prefix')) ?? '';
    const [object = '', member] = target.text().split('.');
    const from = values.imported(object);
    if (!from) mounts.push({ prefix, target: target.text(), on });
    else if (member === undefined) mounts.push({ prefix, target: from.name, module: from.module, on });
    else {
      const module =
        from.name === '*' ? from.module : `${from.module}${from.module.endsWith('.') ? '' : '.'}${from.name}`;
      mounts.push({ prefix, target: member, module, on });
    }
    return;
  }
  // Django: path('orders/', views.orders) inside `urlpatterns`; included modules are mounted.
  if (callee?.text() !== 'path') return;
  const path = pythonString(args.positional[0]);
  const view = args.positional[1];
  if (path === undefined || !view) return;
  const line = call.range().start.line + 1;
  if (view.is('call') && view.field('function')?.text() === 'include') {
    const module = pythonString(pythonArguments(view).positional[0]);
    if (module !== undefined) mounts.push({ prefix: slashed(path), target: 'urlpatterns', module, on: 'urlpatterns' });
  } else routes.push({ method: 'ANY', path: slashed(path), on: 'urlpatterns', line });
}
