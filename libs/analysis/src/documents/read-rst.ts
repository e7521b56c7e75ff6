import { anchorKey, type CodeBlock, type CodeSpan, type Document, type Link } from './document.js';

/**
 * The plain part of reStructuredText: titles, targets, literals, literal blocks and links to files. Roles and directives other than
 * code blocks are left alone: what they name is for Sphinx to resolve.
 */
export function readRst(path: string, text: string, kind: Document['kind']): Document {
  const links: Link[] = [];
  const spans: CodeSpan[] = [];
  const blocks: CodeBlock[] = [];
  const anchors = new Set<string>();
  const lines = text.split('\n');
  const starts: number[] = [];
  let offset = 0;
  for (const line of lines) {
    starts.push(offset);
    offset += line.length + 1;
  }
  let title = '';
  let block: { language: string; indent: number; from: number; lines: string[] } | undefined;
  const close = (): void => {
    if (block && block.lines.some((line) => line.trim() !== '')) {
      const body = block.lines.join('\n');
      const start = starts[block.from] ?? 0;
      blocks.push({
        language: block.language,
        text: body,
        start,
        end: start + body.length,
        under: [title],
        context: '',
      });
    }
    block = undefined;
  };
  for (const [index, raw] of lines.entries()) {
    const line = raw.replace(/\r$/, '');
    const indent = line.search(/\S/);
    if (block) {
      if (indent < 0 || indent > block.indent) {
        // Options of the directive stand before the first empty line.
        if (!(block.lines.length === 0 && /^\s*:\w[\w-]*:/.test(line))) block.lines.push(line);
        else block.from += 1;
        continue;
      }
      close();
    }
    const under = [title];
    const next = lines[index + 1]?.replace(/\r$/, '') ?? '';
    if (/^([=\-~^"'`#*+.:])\1{2,}\s*$/.test(next) && line.trim() !== '' && next.trim().length >= line.trim().length) {
      title = line.trim();
      anchors.add(anchorKey(title));
    }
    const target = /^\.\. _([^:]+):/.exec(line)?.[1];
    if (target !== undefined) anchors.add(anchorKey(target));
    const directive = /^(\s*)\.\. (?:code-block|code|sourcecode|prompt)::\s*(\S*)/.exec(line);
    if (directive)
      block = {
        language: (directive[2] ?? '').toLowerCase(),
        indent: directive[1]?.length ?? 0,
        from: index + 1,
        lines: [],
      };
    else if (/(^|[^:\s.])::\s*$/.test(line))
      block = { language: '', indent: Math.max(0, indent), from: index + 1, lines: [] };
    const start = starts[index] ?? 0;
    for (const match of line.matchAll(/(?<![`:])``([^`]+)``/g)) {
      const from = start + match.index + 2;
      const span = match[1] ?? '';
      spans.push({ text: span, start: from, end: from + span.length, under, context: line });
    }
    for (const match of line.matchAll(/`[^`<]*<([^`>\s]+)>`__?/g)) {
      const to = match[1] ?? '';
      const from = start + match.index + match[0].lastIndexOf(to);
      links.push({ target: to, start: from, end: from + to.length, under, context: line });
    }
  }
  close();
  return { path, text, kind, links, spans, blocks, prose: [], anchors };
}
