import { parseSyntax, type Node } from '../parse/syntax.js';
import { pythonString } from '../stack/python-values.js';
import { oneLine, summaryOf, type Declaration, type Member, type ModuleFacts, type Origin } from './module.js';

/** Reads what a Python file defines and imports at its top level, in branches and `try` too. */
export function readPythonModule(path: string, text: string): ModuleFacts {
  const root = parseSyntax('python', text);
  const exports = new Map<string, Origin>();
  const passesOn: string[] = [];
  const declarations = new Map<string, Declaration>();
  const imports: { module: string; names: string[] }[] = [];
  let open = false;
  const declare = (name: string, declaration: Declaration): void => {
    exports.set(name, { local: name });
    if (!declarations.has(name)) declarations.set(name, declaration);
  };
  const visit = (node: Node): void => {
    const kind = String(node.kind());
    if (kind === 'decorated_definition') {
      const definition = node.field('definition');
      if (definition) visit(definition);
    } else if (kind === 'function_definition' || kind === 'class_definition') {
      const name = node.field('name')?.text() ?? '';
      if (name === '__getattr__') open = true;
      declare(name, declarationOf(node));
    } else if (kind === 'import_statement') {
      for (const part of node.namedChildren()) {
        const module = (part.is('aliased_import') ? part.field('name') : part)?.text() ?? '';
        const alias = part.is('aliased_import') ? part.field('alias')?.text() : module.split('.')[0];
        imports.push({ module, names: [] });
        if (alias !== undefined) exports.set(alias, { module, name: '*' });
      }
    } else if (kind === 'import_from_statement') {
      const from = node.field('module_name');
      const module = from?.text() ?? '';
      const names: string[] = [];
      if (node.find({ rule: { kind: 'wildcard_import' } })) passesOn.push(module);
      for (const part of node.namedChildren()) {
        if (part.id() === from?.id() || part.is('wildcard_import')) continue;
        const name = (part.is('aliased_import') ? part.field('name') : part)?.text() ?? '';
        const alias = part.is('aliased_import') ? (part.field('alias')?.text() ?? name) : name;
        names.push(name);
        exports.set(alias, { module, name });
      }
      imports.push({ module, names });
    } else if (kind === 'expression_statement') {
      const assignment = node.namedChildren()[0];
      const left = assignment?.is('assignment') ? assignment.field('left') : undefined;
      if (assignment && left?.is('identifier')) declare(left.text(), constantOf(assignment, node));
      else if (left)
        for (const one of left.findAll({ rule: { kind: 'identifier' } }))
          exports.set(one.text(), { local: one.text() });
      if (/^(globals\(\)|sys\.modules)/.test(node.text())) open = true;
    } else if (/^(if|try|with|for|while)_statement$|_clause$|^block$/.test(kind)) {
      for (const child of node.namedChildren()) visit(child);
    }
  };
  for (const statement of root.namedChildren()) visit(statement);
  return { path, exports, passesOn, declarations, imports, open };
}

/** The names of `__all__` when it is a plain list; undefined when there is none or it is made by code. */
export function namesOfAll(text: string): string[] | undefined {
  if (!text.includes('__all__')) return undefined;
  const root = parseSyntax('python', text);
  const assignments = root
    .findAll({ rule: { any: [{ kind: 'assignment' }, { kind: 'augmented_assignment' }] } })
    .filter((node) => node.field('left')?.text() === '__all__');
  const [only] = assignments;
  const value = only?.field('right');
  if (assignments.length !== 1 || !value || !(value.is('list') || value.is('tuple'))) return undefined;
  const names = value
    .namedChildren()
    .filter((one) => !one.is('comment'))
    .map((one) => pythonString(one));
  return names.every((name) => name !== undefined) ? names : undefined;
}

function headOf(node: Node): string {
  const body = node.field('body');
  const { start } = node.range();
  const end = body?.range().start.index ?? node.range().end.index;
  return oneLine(
    node
      .text()
      .slice(0, end - start.index)
      .replace(/#[^\n]*/g, ''),
  ).replace(/:$/, '');
}

function docstringOf(node: Node): string | undefined {
  const first = node
    .field('body')
    ?.namedChildren()
    .find((one) => !one.is('comment'));
  const literal = first?.is('expression_statement') ? first.namedChildren()[0] : undefined;
  const text = literal?.is('string') ? literal.text().replace(/^\w*("""|'''|"|')|("""|'''|"|')$/g, '') : undefined;
  return text === undefined ? undefined : summaryOf(text);
}

function declarationOf(node: Node): Declaration {
  const line = node.range().start.line + 1;
  const isClass = node.is('class_definition');
  return {
    kind: isClass ? 'class' : 'function',
    signature: headOf(node),
    summary: docstringOf(node),
    line,
    members: isClass ? membersOf(node) : [],
  };
}

function membersOf(node: Node): Member[] {
  const seen = new Set<string>();
  return (node.field('body')?.namedChildren() ?? []).flatMap((child) => {
    const method = child.is('decorated_definition') ? child.field('definition') : child;
    const name = method?.is('function_definition') ? (method.field('name')?.text() ?? '_') : '_';
    if (!method || name.startsWith('_') || seen.has(name)) return [];
    seen.add(name);
    return [{ name, signature: headOf(method), summary: docstringOf(method) }];
  });
}

function constantOf(assignment: Node, statement: Node): Declaration {
  const right = assignment.field('right')?.text() ?? '';
  const type = assignment.field('type')?.text();
  const name = assignment.field('left')?.text() ?? '';
  const plain = /^(["'].{0,58}["']|[\d._+-]{1,20}|True|False|None)$/.test(right);
  const signature = oneLine(`${name}${type === undefined ? '' : `: ${type}`}${plain ? ` = ${right}` : ''}`);
  return { kind: 'constant', signature, summary: undefined, line: statement.range().start.line + 1, members: [] };
}
