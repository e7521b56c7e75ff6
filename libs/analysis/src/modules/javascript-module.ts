import { parseSync } from 'oxc-parser';
import { Positions } from '../parse/positions.js';
import { oneLine, summaryOf, type Declaration, type Member, type ModuleFacts, type Origin } from './module.js';

interface EsNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is EsNode =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
const one = (node: EsNode | undefined, field: string): EsNode | undefined => {
  const value = node?.[field];
  return isNode(value) ? value : undefined;
};
const many = (node: EsNode | undefined, field: string): EsNode[] => {
  const value = node?.[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
};
const word = (node: EsNode | undefined, field: string): string => {
  const value = node?.[field];
  return typeof value === 'string' ? value : '';
};

/** Reads what a JavaScript or TypeScript file exports and loads. Undefined when it can't be parsed. */
export function readJavaScriptModule(path: string, text: string): ModuleFacts | undefined {
  const lang = /\.(jsx?|mjs|cjs)$/.test(path)
    ? 'jsx'
    : path.endsWith('.tsx')
      ? 'tsx'
      : /\.d\.[cm]?ts$/.test(path)
        ? 'dts'
        : 'ts';
  const { program, module, comments, errors } = parseSync(path, text, { lang, sourceType: 'unambiguous' });
  const root: unknown = program;
  if (!isNode(root) || (errors.length > 0 && many(root, 'body').length === 0)) return undefined;
  const reader = new Reader(
    text,
    comments.filter(({ type }) => type === 'Block'),
  );
  const declarations = reader.declarations(many(root, 'body'));
  const exports = new Map<string, Origin>();
  const passesOn: string[] = [];
  for (const statement of module.staticExports) {
    for (const { exportName, importName, localName, moduleRequest } of statement.entries) {
      const name = exportName.kind === 'Default' ? 'default' : exportName.name;
      if (moduleRequest && importName.kind === 'AllButDefault') passesOn.push(moduleRequest.value);
      else if (moduleRequest && name)
        exports.set(name, {
          module: moduleRequest.value,
          name: importName.kind === 'All' ? '*' : (importName.name ?? 'default'),
        });
      else if (name) exports.set(name, { local: localName.name ?? 'default' });
    }
  }
  const imports = module.staticImports.map(({ moduleRequest, entries }) => ({
    module: moduleRequest.value,
    names: entries.map(({ importName }) =>
      importName.kind === 'Name' ? (importName.name ?? '') : importName.kind === 'Default' ? 'default' : '*',
    ),
    typesOnly: entries.length > 0 && entries.every(({ isType }) => isType),
  }));
  const common = module.hasModuleSyntax ? { open: false } : reader.commonJs(many(root, 'body'), exports);
  return {
    path,
    exports,
    passesOn,
    declarations,
    imports: [
      ...imports.filter(({ typesOnly }) => !typesOnly),
      ...module.staticExports.flatMap(({ entries }) =>
        entries.flatMap(({ moduleRequest, isType }) =>
          moduleRequest && !isType ? [{ module: moduleRequest.value, names: [] }] : [],
        ),
      ),
      ...[...text.matchAll(/\b(?:require|import)\s*\(\s*(["'])([^"'\n]+)\1\s*\)/g)].map((match) => ({
        module: match[2] ?? '',
        names: [],
      })),
    ],
    open: common.open || errors.length > 0,
  };
}

class Reader {
  readonly #positions: Positions;

  constructor(
    readonly text: string,
    readonly comments: readonly { readonly value: string; readonly start: number; readonly end: number }[],
  ) {
    this.#positions = new Positions(text);
  }

  declarations(body: readonly EsNode[]): Map<string, Declaration> {
    const found = new Map<string, Declaration>();
    for (const statement of body) {
      const isDefault = statement.type === 'ExportDefaultDeclaration';
      const declared = one(statement, 'declaration') ?? statement;
      for (const [name, declaration] of this.#declared(declared, statement)) {
        // Overloads: the first one, with the comment, speaks for all.
        if (!found.has(name)) found.set(name, declaration);
        if (isDefault) found.set('default', declaration);
      }
    }
    return found;
  }

  #summary(before: number): string | undefined {
    const comment = this.comments.findLast(({ end }) => end <= before);
    if (
      !comment?.value.startsWith('*') ||
      this.text
        .slice(comment.end, before)
        .replace(/@[\w.]+(\([^)]*\))?/g, '')
        .trim() !== ''
    )
      return undefined;
    return summaryOf(comment.value);
  }

  /** From the beginning of a node to its body. */
  #head(node: EsNode, body: EsNode | undefined): string {
    return oneLine(this.text.slice(node.start, body?.start ?? node.end)).replace(/\s*(=>|[{=;])$/, '');
  }

  #declared(node: EsNode, statement: EsNode): [string, Declaration][] {
    const summary = this.#summary(statement.start);
    const { line } = this.#positions.at(node.start);
    const name = word(one(node, 'id'), 'name') || (statement.type === 'ExportDefaultDeclaration' ? 'default' : '');
    const facts = { summary, line, members: [] };
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'TSDeclareFunction':
        return [[name, { ...facts, kind: 'function', signature: this.#head(node, one(node, 'body')) }]];
      case 'ClassDeclaration':
        return [
          [
            name,
            {
              ...facts,
              kind: 'class',
              signature: this.#head(node, one(node, 'body')),
              members: this.#members(many(one(node, 'body'), 'body')),
            },
          ],
        ];
      case 'TSInterfaceDeclaration':
        return [
          [
            name,
            {
              ...facts,
              kind: 'interface',
              signature: this.#head(node, one(node, 'body')),
              members: this.#members(many(one(node, 'body'), 'body')),
            },
          ],
        ];
      case 'TSTypeAliasDeclaration':
        return [[name, { ...facts, kind: 'type', signature: this.#head(node, undefined) }]];
      case 'TSEnumDeclaration':
        return [[name, { ...facts, kind: 'enum', signature: this.#head(node, undefined) }]];
      case 'VariableDeclaration':
        return many(node, 'declarations').flatMap((declarator) => this.#variable(node, declarator, facts));
      default:
        return [];
    }
  }

  #variable(
    statement: EsNode,
    declarator: EsNode,
    facts: Pick<Declaration, 'summary' | 'line' | 'members'>,
  ): [string, Declaration][] {
    const id = one(declarator, 'id');
    const init = one(declarator, 'init');
    const name = word(id, 'name');
    if (!id || name === '') return [];
    const keyword = word(statement, 'kind') || 'const';
    if (init?.type === 'ArrowFunctionExpression' || init?.type === 'FunctionExpression') {
      return [
        [name, { ...facts, kind: 'function', signature: `${keyword} ${this.#head(declarator, one(init, 'body'))}` }],
      ];
    }
    if (init?.type === 'ClassExpression')
      return [
        [
          name,
          {
            ...facts,
            kind: 'class',
            signature: `${keyword} ${name}: class`,
            members: this.#members(many(one(init, 'body'), 'body')),
          },
        ],
      ];
    const literal =
      init && /^(Literal|TemplateLiteral|UnaryExpression)$/.test(init.type) && init.end - init.start <= 60
        ? ` = ${this.text.slice(init.start, init.end)}`
        : '';
    return [
      [
        name,
        { ...facts, kind: 'constant', signature: oneLine(`${keyword} ${this.text.slice(id.start, id.end)}${literal}`) },
      ],
    ];
  }

  #members(nodes: readonly EsNode[]): Member[] {
    const seen = new Set<string>();
    return nodes.flatMap((node) => {
      const key = one(node, 'key');
      const name = key?.type === 'Identifier' && node['computed'] !== true ? word(key, 'name') : '';
      const hidden =
        name === '' ||
        name.startsWith('_') ||
        /^(private|protected)$/.test(word(node, 'accessibility')) ||
        name === 'constructor' ||
        seen.has(name);
      const summary = this.#summary(node.start);
      if (hidden || this.#isInternal(node.start)) return [];
      seen.add(name);
      const value = one(node, 'value');
      const isMethod =
        node.type === 'MethodDefinition' ||
        node.type === 'TSMethodSignature' ||
        node.type === 'TSAbstractMethodDefinition';
      const signature = isMethod
        ? this.#head(node, one(value, 'body'))
        : this.#head(node, value && node.type === 'PropertyDefinition' ? value : undefined);
      return [{ name, signature: signature.replace(/[;,]$/, ''), summary }];
    });
  }

  #isInternal(before: number): boolean {
    const comment = this.comments.findLast(({ end }) => end <= before);
    return (
      comment !== undefined &&
      /@internal|@private|@hidden/.test(comment.value) &&
      this.text.slice(comment.end, before).trim() === ''
    );
  }

  /** `module.exports = …` and `exports.x = …`; adds to `exports`. */
  commonJs(body: readonly EsNode[], exports: Map<string, Origin>): { open: boolean } {
    let open = false;
    let any = false;
    for (const statement of body) {
      const source =
        statement.type === 'ExpressionStatement' ? this.text.slice(statement.start, statement.start + 200) : '';
      if (!/^(module\.)?exports\b/.test(source)) continue;
      any = true;
      let assignment = one(statement, 'expression');
      // `exports = module.exports = x`
      while (assignment?.type === 'AssignmentExpression') {
        const left = one(assignment, 'left');
        const right = one(assignment, 'right');
        const target = left ? this.text.slice(left.start, left.end) : '';
        const named = /^(?:module\.)?exports\.([A-Za-z_$][\w$]*)$/.exec(target)?.[1];
        if (named !== undefined)
          exports.set(named, { local: right?.type === 'Identifier' ? word(right, 'name') : named });
        else if (target === 'module.exports' && right?.type === 'ObjectExpression')
          open = this.#object(right, exports) || open;
        else if (target === 'module.exports' && right?.type !== 'AssignmentExpression') {
          exports.set('default', { local: right?.type === 'Identifier' ? word(right, 'name') : 'default' });
          open = true;
        } else if (named === undefined && target !== 'exports' && target !== 'module.exports') open = true;
        assignment = right;
      }
      if (assignment?.type === 'CallExpression') open = true;
    }
    return { open: open || !any || (this.text.match(/\bexports\b/g) ?? []).length > exports.size + 8 };
  }

  #object(object: EsNode, exports: Map<string, Origin>): boolean {
    let open = false;
    for (const property of many(object, 'properties')) {
      const name = word(one(property, 'key'), 'name');
      const value = one(property, 'value');
      if (property.type !== 'Property' || property['computed'] === true || name === '') open = true;
      else exports.set(name, { local: value?.type === 'Identifier' ? word(value, 'name') : name });
    }
    return open;
  }
}
