import type { Chunk } from './chunk.js';

/** Sections of a Markdown file by their headings; `#` inside fenced code is none. */
export function markdownSections(lines: readonly string[]): Chunk[] {
  const starts: { line: number; title: string }[] = [];
  let fence: string | undefined;
  lines.forEach((line, index) => {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined) {
      if (fence === undefined) fence = mark;
      else if (mark.startsWith(fence)) fence = undefined;
    }
    const title = fence === undefined ? /^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$/.exec(line)?.[1] : undefined;
    if (title !== undefined) starts.push({ line: index + 1, title: title.slice(0, 200) });
  });
  return starts.map(({ line, title }, index) => ({
    startLine: line,
    endLine: (starts[index + 1]?.line ?? lines.length + 1) - 1,
    symbol: title,
  }));
}
