import { parseSyntax, type Node } from '../parse/syntax.js';
import type { Setting } from './setting.js';

/** A block of Terraform: `resource "aws_s3_bucket" "site" { … }`. */
export interface Block extends Setting {
  readonly kind: string;
  readonly labels: readonly string[];
  /** Where its head is: from its kind to the bracket. */
  readonly head: { readonly start: number; readonly end: number };
}

const spanOf = (node: Node): { start: number; end: number } => {
  const { start, end } = node.range();
  return { start: start.index, end: end.index };
};

/** The blocks at the top of a file. Attributes are fields; blocks inside are lists, because there may be several of one name. */
export function blocksOf(text: string): Block[] {
  const body = parseSyntax('hcl', text)
    .namedChildren()
    .find((node) => node.is('body'));
  return (body?.namedChildren() ?? []).flatMap((node) => (node.is('block') ? [blockOf(node)] : []));
}

function blockOf(node: Node): Block {
  const [kind, ...rest] = node.namedChildren();
  const labels = rest.filter((one) => one.is('string_lit') || one.is('identifier'));
  const body = rest.find((one) => one.is('body'));
  const span = spanOf(node);
  const last = labels.at(-1) ?? kind;
  return {
    ...span,
    kind: kind?.text() ?? '',
    labels: labels.map((one) => one.text().replace(/^"|"$/g, '')),
    head: { start: span.start, end: last ? spanOf(last).end : span.end },
    fields: fieldsOf(body),
  };
}

function fieldsOf(body: Node | undefined): Map<string, Setting> {
  const fields = new Map<string, Setting>();
  for (const node of body?.namedChildren() ?? []) {
    const [name] = node.namedChildren();
    if (!name) continue;
    if (node.is('attribute')) {
      const value = node.namedChildren()[1];
      if (value) fields.set(name.text(), { ...valueOf(value), key: spanOf(name) });
    } else if (node.is('block')) {
      const block = { ...blockOf(node), key: spanOf(name) };
      // `dynamic "ingress" { content { … } }` makes blocks of that name.
      const [label] = block.labels;
      const content = block.kind === 'dynamic' ? block.fields?.get('content')?.items?.[0] : undefined;
      const key = content && label !== undefined ? label : block.kind;
      const before = fields.get(key);
      fields.set(key, {
        ...(before ?? spanOf(node)),
        key: before?.key ?? spanOf(name),
        items: [...(before?.items ?? []), content ?? block],
      });
    }
  }
  return fields;
}

function valueOf(node: Node): Setting {
  const span = spanOf(node);
  const [only, ...more] = node.namedChildren();
  switch (node.kind()) {
    case 'expression':
    case 'literal_value':
    case 'collection_value':
    case 'template_expr':
      return only && more.length === 0 ? { ...valueOf(only), ...span } : { ...span, text: node.text() };
    case 'string_lit':
    case 'quoted_template':
    case 'heredoc_template': {
      const parts = node
        .namedChildren()
        .filter((one) => !/_(start|end)$|^heredoc_identifier$/.test(String(one.kind())));
      return parts.every((one) => one.is('template_literal'))
        ? { ...span, value: parts.map((one) => one.text()).join('') }
        : { ...span, text: node.text() };
    }
    case 'numeric_lit':
      return { ...span, value: Number(node.text()) };
    case 'bool_lit':
      return { ...span, value: node.text() === 'true' };
    case 'null_lit':
      return { ...span, value: null };
    case 'tuple':
      return { ...span, items: node.namedChildren().flatMap((one) => (one.is('expression') ? [valueOf(one)] : [])) };
    case 'object': {
      const fields = new Map<string, Setting>();
      for (const element of node.namedChildren()) {
        const [key, value] = element.is('object_elem') ? element.namedChildren() : [];
        if (key && value) fields.set(key.text().replace(/^"|"$/g, ''), { ...valueOf(value), key: spanOf(key) });
      }
      return { ...span, fields };
    }
    case 'function_call': {
      // The text that it makes is what it is given.
      const [argument] = node.namedChildren().filter((one) => one.is('function_arguments'));
      const [first] = argument?.namedChildren() ?? [];
      return only?.text() === 'jsonencode' && first ? { ...valueOf(first), ...span } : { ...span, text: node.text() };
    }
    default:
      return { ...span, text: node.text() };
  }
}
