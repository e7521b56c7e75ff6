import type { Node } from '../parse/syntax.js';
import { unquoted } from './bindings.js';
import type { Candidate } from './candidate.js';
import { memberOf, pythonModule } from './import-edits.js';
import { appended, endOf, insertion, quoteOf, removal, replace, type CodeFix, type TextEdit } from './text-edit.js';

/** How findings in Python are mended. */
export const PYTHON_FIXES = {
  /** `yaml.load(x, Loader=…)` → `yaml.safe_load(x)`. */
  'yaml-safe-load': ({ call, bindings }) => {
    if (!call || call.open) return undefined;
    const loader = call.named.get('Loader')?.whole ?? call.positional[1];
    const without = loader ? [removal(loader)] : [];
    const method = call.callee.field('attribute');
    if (method) return [replace(method, method.text().replace(/^load/, 'safe_load')), ...without];
    const full = bindings.imports().get(call.callee.text());
    if (full !== 'yaml.load' && full !== 'yaml.load_all') return undefined;
    const safe = memberOf(bindings, 'yaml', full.replace('yaml.load', 'safe_load'));
    return safe && [...safe.edits, replace(call.callee, safe.name), ...without];
  },
  /** `verify=False` → `verify=True`: stated, so that a laxer setting of the session can't come back. */
  'verify-true': ({ call }) => {
    const verify = call?.named.get('verify');
    return verify && [replace(verify.value, 'True')];
  },
  'tls-checked': (of) => tlsChecked(of),
  'debug-false': ({ call }) => {
    const debug = call?.named.get('debug');
    return debug && [replace(debug.value, 'False')];
  },
  /** `random.choice(x)` → `random.SystemRandom().choice(x)`: the same functions, from the system's generator. */
  'system-random': ({ call, bindings }) => {
    if (!call || /\bseed\s*\(/.test(bindings.root.text())) return undefined;
    const object = call.callee.field('object');
    if (object?.is('identifier') && bindings.imports().get(object.text()) === 'random')
      return [insertion(endOf(object), '.SystemRandom()')];
    const full = bindings.imports().get(call.callee.text());
    if (full?.startsWith('random.') !== true) return undefined;
    const system = memberOf(bindings, 'random', 'SystemRandom');
    return system && [...system.edits, replace(call.callee, `${system.name}()${full.slice('random'.length)}`)];
  },
  /** `t.extractall(x)` → `t.extractall(x, filter="data")`. */
  'extract-filter': ({ call, bindings }) => {
    if (!call || call.open || call.callee.field('attribute')?.text() !== 'extractall') return undefined;
    const quote = quoteOf(bindings.root.text());
    return listed(appended(call.list, `filter=${quote}data${quote}`));
  },
  'private-temporary-folder': (of) => privateFolder(of),
  /** `requests.get(u)` → `requests.get(u, timeout=300)`. */
  'request-timeout': ({ call, bindings }) => {
    if (!call || call.open || call.named.has('timeout')) return undefined;
    return bindings.nameOf(call.callee).startsWith('requests.')
      ? listed(appended(call.list, 'timeout=300'))
      : undefined;
  },
  'obvious-mistake': (of) => (of.node.is('function_definition') ? readOnlyDefaults(of.node) : literalIdentity(of.node)),
} as const satisfies Record<string, CodeFix>;

const listed = (edit: TextEdit | undefined): TextEdit[] | undefined => edit && [edit];

/** Connections of a server: there the same names are about certificates of clients. */
const SERVER = /CLIENT_AUTH|TLS_SERVER|server_side\s*=\s*True/;

function tlsChecked({ node, call, bindings }: Candidate): TextEdit[] | undefined {
  if (SERVER.test(bindings.root.text())) return undefined;
  if (call) {
    const verify = call.named.get('verify') ?? call.named.get('verify_ssl');
    if (verify) return verify.value.text() === 'False' ? [replace(verify.value, 'True')] : undefined;
    const method = call.callee.field('attribute');
    const known = method?.text() === '_create_unverified_context' || method?.text() === '_create_stdlib_context';
    return method && known && call.list.namedChildren().length === 0
      ? [replace(method, 'create_default_context')]
      : undefined;
  }
  const [target, value] = [node.field('left'), node.field('right')];
  if (!value) return undefined;
  if (target?.field('attribute')?.text() === 'verify_mode') {
    const mode = value.field('attribute');
    return mode?.text() === 'CERT_NONE' ? [replace(mode, 'CERT_REQUIRED')] : undefined;
  }
  if (value.text() === 'False') return [replace(value, 'True')];
  const context = value.field('attribute');
  return context?.text() === '_create_unverified_context' ? [replace(context, 'create_default_context')] : undefined;
}

/** What may stand around `not x` without parentheses. */
const TAKES_NOT = new Set([
  'if_statement',
  'elif_clause',
  'while_statement',
  'return_statement',
  'boolean_operator',
  'not_operator',
  'parenthesized_expression',
  'assignment',
  'argument_list',
  'expression_statement',
]);

/** Texts of digests are compared as bytes, so that nothing that comes in can make the comparison fail. */
export function compareDigest({ node, bindings }: Candidate): TextEdit[] | undefined {
  const sides = node.namedChildren();
  const [left, right] = sides;
  const operator = operatorOf(node);
  if (!left || !right || sides.length !== 2 || sides.some((side) => side.text().includes('\n'))) return undefined;
  const isText = (side: Node): boolean =>
    /\.hexdigest\(\s*\)$/.test((side.is('identifier') ? bindings.valueOf(side) : side)?.text() ?? '');
  const compare = memberOf(bindings, 'hmac', 'compare_digest');
  if (!compare || !sides.some(isText)) return undefined;
  const bytes = (side: Node): string => (isText(side) ? `${side.text()}.encode()` : `str(${side.text()}).encode()`);
  const call = `${compare.name}(${bytes(left)}, ${bytes(right)})`;
  const inner = operator === '!=' ? `not ${call}` : call;
  const bare = operator !== '!=' || TAKES_NOT.has(String(node.parent()?.kind()));
  return [...compare.edits, replace(node, bare ? inner : `(${inner})`)];
}

function operatorOf(node: Node): string {
  const between = node.children().filter((child) => !child.isNamed());
  return between
    .map((child) => child.text())
    .join(' ')
    .replace(/\s+/g, ' ');
}

/** `tempfile.mktemp()` → a name in a folder that was made for it, where nobody else can put a file. */
function privateFolder({ node, call, bindings }: Candidate): TextEdit[] | undefined {
  const method = call?.callee.field('attribute');
  if (!call || call.open || method?.text() !== 'mktemp') return undefined;
  const suffix = call.named.get('suffix')?.value ?? call.positional[0];
  if (suffix && !suffix.is('string')) return undefined;
  const os = pythonModule(bindings, 'os');
  if (!os) return undefined;
  const quote = quoteOf(bindings.root.text());
  const name = `${quote}file${suffix ? unquoted(suffix) : ''}${quote}`;
  return [
    ...os.edits,
    insertion(node.range().start.index, `${os.name}.path.join(`),
    replace(method, 'mkdtemp'),
    insertion(endOf(node), `, ${name})`),
  ];
}

/** `x is 'a'` → `x == 'a'`. 0, 1 and what stands for them are left: True is neither, and equals one. */
function literalIdentity(node: Node): TextEdit[] | undefined {
  const operators = node.children().filter((child) => !child.isNamed());
  const literal = node.namedChildren().some((side) => side.is('string') || /^([2-9]|[1-9]\d+)$/.test(side.text()));
  const [operator] = operators;
  if (!operator || operators.length !== 1 || !literal) return undefined;
  if (operator.text() === 'is') return [replace(operator, '==')];
  return /^is\s+not$/.test(operator.text()) ? [replace(operator, '!=')] : undefined;
}

/** `def f(x, seen=[])` → `seen=()` where the function only walks along it, looks something up or counts. */
function readOnlyDefaults(node: Node): TextEdit[] | undefined {
  const [parameters, body] = [node.field('parameters'), node.field('body')];
  if (!parameters || !body) return undefined;
  const edits: TextEdit[] = [];
  for (const parameter of parameters.namedChildren()) {
    const value = parameter.field('value');
    if (!value || !/^(\[\s*\]|\{\s*\})$/.test(value.text())) continue;
    const name = parameter.is('default_parameter') ? parameter.field('name') : undefined;
    if (!name || !value.is('list') || !isOnlyRead(body, name.text())) return undefined;
    edits.push(replace(value, '()'));
  }
  return edits.length > 0 ? edits : undefined;
}

function isOnlyRead(body: Node, name: string): boolean {
  const uses = body.findAll({ rule: { kind: 'identifier', regex: `^${name}$` } });
  return (
    uses.length > 0 &&
    uses.every((use) => {
      const above = use.parent();
      if (!above) return false;
      if (above.is('for_statement') || above.is('for_in_clause')) return above.field('right')?.id() === use.id();
      if (above.is('comparison_operator')) {
        return /^(not )?in$/.test(operatorOf(above)) && above.namedChildren().at(-1)?.id() === use.id();
      }
      return above.is('argument_list') && /^len\(/.test(above.parent()?.text() ?? '');
    })
  );
}
