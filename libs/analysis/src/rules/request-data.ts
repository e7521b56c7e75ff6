import type { Node } from '../parse/syntax.js';
import type { Bindings } from './bindings.js';
import { callView } from './calls.js';

/** Members of a request object of Express, Koa and their like that a client chooses. */
const JS_MEMBERS = new Set(['params', 'query', 'body', 'headers', 'cookies', 'files', 'originalUrl']);

/** Members of Flask's and Django's request that a client chooses. */
const PY_MEMBERS = new Set([
  'args',
  'form',
  'values',
  'json',
  'files',
  'cookies',
  'headers',
  'data',
  'view_args',
  'GET',
  'POST',
  'get_json',
  'get_data',
  'query_params',
  'path_params',
]);

const ROUTE = /\.(route|get|post|put|patch|delete|websocket)$/;

/** Whether any part of an expression comes from a request as it is: `req.params.x`, `request.args["x"]`, a route's parameter. */
export function isRequestData(node: Node, bindings: Bindings, depth = 0): boolean {
  if (depth > 6) return false;
  const kind = String(node.kind());
  if (kind === 'identifier' || kind === 'shorthand_property_identifier')
    return nameIsRequestData(node, bindings, depth);
  if (kind === 'member_expression' || kind === 'attribute') {
    const object = node.field('object');
    const property = (node.field('property') ?? node.field('attribute'))?.text() ?? '';
    if (!object) return false;
    if (object.is('identifier') && isRequestObject(object, property, bindings)) return true;
    return isRequestData(object, bindings, depth + 1);
  }
  if (kind === 'subscript_expression' || kind === 'subscript') {
    const object = node.field('object') ?? node.field('value');
    return object !== null && isRequestData(object, bindings, depth + 1);
  }
  const call = callView(node);
  if (call) {
    const name = bindings.nameOf(call.callee);
    if (/(^|\.)(basename|secure_filename|int|Number|parseInt|parseFloat|has|includes)$/.test(name)) return false;
    const receiver = call.callee.field('object');
    return (
      (receiver !== null && isRequestData(call.callee, bindings, depth + 1)) ||
      (!receiver && call.positional.some((argument) => isRequestData(argument, bindings, depth + 1)))
    );
  }
  if (kind === 'comparison_operator' || kind === 'not_operator') return false;
  return node.namedChildren().some((child) => !child.is('comment') && isRequestData(child, bindings, depth + 1));
}

function isRequestObject(object: Node, property: string, bindings: Bindings): boolean {
  const [binding] = bindings.of(object);
  const isParameter = binding?.kind === 'parameter';
  if (bindings.language !== 'python') return isParameter && JS_MEMBERS.has(property);
  const imported = bindings.imports().get(object.text());
  return (
    PY_MEMBERS.has(property) &&
    (imported?.endsWith('.request') === true || (isParameter && isRouteHandler(binding.scope)))
  );
}

function nameIsRequestData(node: Node, bindings: Bindings, depth: number): boolean {
  const all = bindings.of(node);
  for (const binding of all) {
    if (binding.kind === 'parameter') return bindings.language === 'python' && isRouteHandler(binding.scope);
    if (binding.value && binding.value.id() !== node.id() && isRequestData(binding.value, bindings, depth + 1))
      return true;
    if (!binding.value && destructuresRequest(node, binding.scope, bindings)) return true;
  }
  return false;
}

/** `const { file } = req.params` */
function destructuresRequest(node: Node, scope: Node, bindings: Bindings): boolean {
  if (bindings.language === 'python') return false;
  const name = node.text();
  return scope
    .findAll({ rule: { kind: 'variable_declarator', has: { field: 'name', kind: 'object_pattern' } } })
    .some((declarator) => {
      const [pattern, value] = [declarator.field('name'), declarator.field('value')];
      return (
        pattern?.namedChildren().some((part) => (part.field('value') ?? part).text() === name) === true &&
        value !== null &&
        value.is('member_expression') &&
        isRequestData(value, bindings, 5)
      );
    });
}

/** A Python function with a route decorator: its parameters are taken from the address. */
function isRouteHandler(scope: Node): boolean {
  const decorated = scope.parent();
  if (!decorated?.is('decorated_definition')) return false;
  return decorated.children().some((child) => {
    const call = child.is('decorator') ? child.namedChildren()[0] : undefined;
    const callee = call ? callView(call)?.callee : undefined;
    return callee !== undefined && ROUTE.test(callee.text());
  });
}
