import type { ModuleMap } from '@devmesh/analysis/modules/module-map';

/** Text from outside as a label: Mermaid's own entities for what could end it, no line breaks. */
function label(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/g, ' ')
    .trim()
    .slice(0, 80)
    .toWellFormed()
    .replace(/[^\p{L}\p{N} ._/@-]/gu, (char) => `#${char.codePointAt(0)};`);
}

/** A flow chart of who loads whom. Names become labels; identifiers are ours, so no name can become syntax. */
export function mermaidMap({ nodes, edges }: ModuleMap): string {
  const ids = new Map(nodes.map((node, i) => [node, `m${i}`]));
  const lines = [
    'flowchart LR',
    ...nodes.map((node) => `  ${ids.get(node) ?? ''}["${label(node === '.' ? '(root)' : node)}"]`),
    ...edges.map(([from, to]) => `  ${ids.get(from) ?? ''} --> ${ids.get(to) ?? ''}`),
  ];
  return ['```mermaid', ...lines, '```'].join('\n');
}
