import { builtinModules } from 'node:module';
import type { Node } from '../parse/syntax.js';
import { unquoted, type Bindings } from './bindings.js';
import { endOf, eolOf, insertion, quoteOf, startOf, type TextEdit } from './text-edit.js';

/** What a thing of a module is called in a file, and the edits that bring it in where it isn't yet. */
export interface Imported {
  readonly name: string;
  readonly edits: readonly TextEdit[];
}

/** `member` of a module that the file imports already, in whatever way; undefined where it can't be added without a clash. */
export function memberOf(bindings: Bindings, module: string, member: string): Imported | undefined {
  const names = [...bindings.imports()];
  const direct = names.find(([, full]) => full === `${module}.${member}`)?.[0];
  if (direct !== undefined) return { name: direct, edits: [] };
  const whole = names.find(([, full]) => full === module)?.[0];
  if (whole !== undefined) return { name: `${whole}.${member}`, edits: [] };
  if (new RegExp(`\\b${member}\\b`).test(bindings.root.text())) return undefined;
  const last = lastNameOf(bindings, module);
  return last && { name: member, edits: [insertion(endOf(last), `, ${member}`)] };
}

/** The last name of the list in `import { a, b } from 'm'`, `const { a } = require('m')` or `from m import a`. */
function lastNameOf(bindings: Bindings, module: string): Node | undefined {
  const { language, root } = bindings;
  if (language === 'python') {
    const statement = root
      .findAll({ rule: { kind: 'import_from_statement' } })
      .find((one) => one.field('module_name')?.text() === module && isAtTop(one));
    const last = statement?.namedChildren().at(-1);
    return last && !last.is('wildcard_import') && !last.is('comment') ? last : undefined;
  }
  const isModule = (source: Node | null | undefined): boolean =>
    source?.is('string') === true && unquoted(source).replace(/^node:/, '') === module;
  for (const statement of root.findAll({ rule: { kind: 'import_statement' } })) {
    if (!isModule(statement.field('source')) || /^import\s+type\b/.test(statement.text())) continue;
    const list = statement.find({ rule: { kind: 'named_imports' } });
    const last = list?.namedChildren().at(-1);
    if (last?.is('import_specifier')) return last;
  }
  for (const declared of root.findAll({ rule: { kind: 'variable_declarator' } })) {
    const [pattern, value] = [declared.field('name'), declared.field('value')];
    if (!pattern?.is('object_pattern') || value?.field('function')?.text() !== 'require') continue;
    const last = pattern.namedChildren().at(-1);
    if (isModule(value.field('arguments')?.namedChildren()[0]) && last && !last.is('comment')) return last;
  }
  return undefined;
}

/** A module of Python's own library, imported beside the first import of the file where it isn't yet. */
export function pythonModule(bindings: Bindings, module: string): Imported | undefined {
  const known = [...bindings.imports()].find(([, full]) => full === module)?.[0];
  if (known !== undefined) return { name: known, edits: [] };
  const text = bindings.root.text();
  if (new RegExp(`^\\s*(${module}\\s*=|def ${module}\\b)`, 'm').test(text)) return undefined;
  const first = bindings.root
    .findAll({ rule: { any: [{ kind: 'import_statement' }, { kind: 'import_from_statement' }] } })
    .find((one) => isAtTop(one) && one.range().start.column === 0);
  return first && { name: module, edits: [insertion(startOf(first), `import ${module}${eolOf(text)}`)] };
}

/**
 * `member` of a module of Node. A file that doesn't import it gets an import only when another one shows that it runs on Node: a
 * page can't have it.
 */
export function nodeMember(bindings: Bindings, module: string, member: string): Imported | undefined {
  const known = memberOf(bindings, module, member);
  if (known) return known;
  const { root } = bindings;
  const text = root.text();
  if (new RegExp(`\\b${member}\\b`).test(text)) return undefined;
  const imports = root.findAll({ rule: { kind: 'import_statement' } });
  const onNode = imports.some((one) => {
    const source = one.field('source');
    return source !== null && builtinModules.includes(unquoted(source).replace(/^node:/, ''));
  });
  const [first] = imports;
  if (!onNode || !first || first.range().start.column !== 0) return undefined;
  const quote = quoteOf(text);
  const end = /;\s*$/.test(first.text()) ? ';' : '';
  const line = `import { ${member} } from ${quote}node:${module}${quote}${end}${eolOf(text)}`;
  return { name: member, edits: [insertion(startOf(first), line)] };
}

function isAtTop(statement: Node): boolean {
  return statement.parent()?.is('module') === true;
}
