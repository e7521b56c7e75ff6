import type { Node } from '../parse/syntax.js';
import { argumentsOf, lineOfNode, memberOf, stringValue, type JavaScriptValues } from './javascript-values.js';
import type { MountFact, RouteFact, SourceFacts } from './source-facts.js';

const METHODS = new Set('get post put patch delete head options all'.split(' '));
/** Names that stand for an application or router where its making can't be seen. */
const ROUTER_NAME = /^(app|api|server|router|routes|fastify|\w+(App|Router|Routes|Server))$/;
const FACTORY = /^(express|fastify|Fastify|Router|express\.Router|Koa|Hono|new Router|new Hono|new Koa)$/;
const NEST = new Set('Get Post Put Patch Delete Head Options All'.split(' '));

type RouteFacts = Pick<SourceFacts, 'routes' | 'mounts' | 'applications'>;

/** Makes `a/b`, `/a/` and `` start with one slash and end with none. */
function slashed(path: string): string {
  const trimmed = path.replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? '/' : `/${trimmed}`;
}

function factoryOf(value: Node): string | undefined {
  if (value.is('await_expression')) {
    const inner = value.namedChildren()[0];
    return inner && factoryOf(inner);
  }
  const callee = value.is('call_expression')
    ? value.field('function')?.text()
    : value.is('new_expression')
      ? `new ${value.field('constructor')?.text() ?? ''}`
      : undefined;
  return callee !== undefined && FACTORY.test(callee) ? callee : undefined;
}

/** Routes of Express, Fastify, Hono and Nest, and what is mounted where. */
export function javaScriptRoutes(root: Node, text: string, values: JavaScriptValues): RouteFacts {
  const routes: RouteFact[] = [];
  const mounts: MountFact[] = [];
  const applications: { name: string; factory: string; line: number }[] = [];
  for (const [name, value] of values.declared()) {
    const factory = factoryOf(value);
    if (factory !== undefined) applications.push({ name, factory, line: lineOfNode(value) });
  }
  const made = new Set(applications.map(({ name }) => name));
  const isRouter = (name: string): boolean => made.has(name) || (ROUTER_NAME.test(name) && !values.imported(name));
  if (/\.(get|post|put|patch|delete|head|options|all|use|route|register)\s*\(/.test(text)) {
    for (const call of root.findAll({ rule: { kind: 'call_expression' } })) {
      const callee = call.field('function');
      if (!callee?.is('member_expression')) continue;
      const on = callee.field('object')?.text() ?? '';
      const verb = callee.field('property')?.text() ?? '';
      if (isRouter(on)) readCall(call, on, verb, values, routes, mounts);
    }
  }
  if (text.includes('@Controller')) routes.push(...nestRoutes(root));
  return { routes, mounts, applications };
}

function readCall(
  call: Node,
  on: string,
  verb: string,
  values: JavaScriptValues,
  routes: RouteFact[],
  mounts: MountFact[],
): void {
  const args = argumentsOf(call);
  const line = lineOfNode(call);
  const first = stringValue(args[0]);
  if (METHODS.has(verb)) {
    if (first?.startsWith('/') && args.length > 1) {
      routes.push({ method: verb === 'all' ? 'ANY' : verb.toUpperCase(), path: slashed(first), on, line });
    }
  } else if (verb === 'route' && args[0]?.is('object')) {
    const [method, url] = [memberOf(args[0], 'method'), memberOf(args[0], 'url')].map((node) => stringValue(node));
    if (method && url?.startsWith('/')) routes.push({ method: method.toUpperCase(), path: slashed(url), on, line });
  } else if (verb === 'use' || verb === 'register' || verb === 'route') {
    const options = verb === 'register' && args[1]?.is('object') ? args[1] : undefined;
    const prefix = verb === 'register' ? options && stringValue(memberOf(options, 'prefix')) : first;
    for (const node of first === undefined ? args.slice(0, 1) : args.slice(1)) {
      const target = (node.is('call_expression') ? node.field('function') : node)?.text() ?? '';
      if (!/^[\w$]+$/.test(target)) continue;
      const from = values.imported(target);
      const mount = { prefix: slashed(prefix ?? ''), target: from?.name ?? target, on };
      mounts.push(from ? { ...mount, module: from.module } : mount);
    }
  }
}

function nestRoutes(root: Node): RouteFact[] {
  const routes: RouteFact[] = [];
  for (const decorator of root.findAll({ rule: { kind: 'decorator', has: { kind: 'call_expression' } } })) {
    const call = decorator.namedChildren()[0];
    const name = call?.field('function')?.text() ?? '';
    if (!call || !NEST.has(name)) continue;
    const body = decorator.ancestors().find((node) => node.is('class_body'));
    const owner = body?.parent();
    if (!owner) continue;
    const holder = owner.parent();
    const controller = [...owner.children(), ...(holder?.is('export_statement') ? holder.children() : [])]
      .filter((node) => node.is('decorator'))
      .map((node) => node.namedChildren()[0])
      .find((node) => node?.field('function')?.text() === 'Controller');
    if (!controller) continue;
    const [where] = argumentsOf(controller);
    const prefix = stringValue(where?.is('object') ? memberOf(where, 'path') : where) ?? '';
    const path = stringValue(argumentsOf(call)[0]) ?? '';
    routes.push({
      method: name === 'All' ? 'ANY' : name.toUpperCase(),
      path: slashed(`${prefix}/${path}`.replace(/\/+/g, '/')),
      on: owner.field('name')?.text() ?? '',
      line: lineOfNode(decorator),
    });
  }
  return routes;
}
