import GithubSlugger from 'github-slugger';
import MarkdownIt from 'markdown-it';
import { Positions } from '../parse/positions.js';
import { anchorKey, type CodeBlock, type CodeSpan, type Document, type Link, type Prose } from './document.js';

type Token = ReturnType<typeof parser.parse>[number];

const parser = new MarkdownIt({ html: true, linkify: false });
// Targets are wanted as they were written, dangerous ones too: nothing is rendered.
parser.normalizeLink = (url) => url;
parser.validateLink = () => true;

const HTML_ANCHOR = /\b(?:id|name)\s*=\s*["']?([^"'\s>]+)/gi;
const HTML_LINK = /<(?:a|img|source)\b[^>]*?\b(?:href|src)\s*=\s*["']([^"'>]+)["']/gi;
const HTML_HEADING = /<h[1-6][^>]*>([\s\S]*?)<\/h[1-6]>/gi;
/** Between these the mesh writes itself, from the code. */
const OWN = /<!-- devmesh:begin ([\w-]+) -->[\s\S]*?<!-- devmesh:end \1 -->/g;
/** Text that is there for other eyes: comments, front matter. */
const FRONT_MATTER = /^---\r?\n[\s\S]*?\r?\n---\r?\n/;

function blanked(text: string, pattern: RegExp): string {
  return text.replace(pattern, (match) => match.replace(/[^\r\n]/g, ' '));
}

/** Reads Markdown as GitHub shows it. What stands between the mesh's own markers says nothing, but can be linked to. */
export function readMarkdown(path: string, text: string, kind: Document['kind']): Document {
  const links: Link[] = [];
  const spans: CodeSpan[] = [];
  const blocks: CodeBlock[] = [];
  const prose: Prose[] = [];
  const anchors = new Set<string>();
  const slugger = new GithubSlugger();
  const headings: { level: number; text: string }[] = [];
  const shown = blanked(text, FRONT_MATTER);
  const positions = new Positions(shown);
  const own = [...shown.matchAll(OWN)].map((match) => [match.index, match.index + match[0].length] as const);
  const isOwn = (offset: number): boolean => own.some(([from, to]) => offset >= from && offset < to);
  const tokens = parser.parse(shown, {});
  for (const match of blanked(shown, /<!--[\s\S]*?-->/g).matchAll(HTML_ANCHOR)) anchors.add(anchorKey(match[1] ?? ''));
  for (const match of shown.matchAll(/\{:?\s*#([\w-]+)[^}]*\}|\[\]\{#([\w-]+)\}/g))
    anchors.add(anchorKey(match[1] ?? match[2] ?? ''));
  for (const match of shown.matchAll(HTML_HEADING)) anchors.add(anchorKey((match[1] ?? '').replace(/<[^>]*>/g, '')));

  let tableHead = '';
  let row: readonly [number, number] | undefined;
  for (const [index, token] of tokens.entries()) {
    if (token.type === 'tr_open' && token.map) row = [token.map[0], token.map[0] + 1];
    if (token.type === 'tr_close') row = undefined;
    // Cells know no lines of their own, but their row does.
    const lines = token.map ?? row;
    const from = lines ? positions.startOf(lines[0] + 1) : 0;
    const to = lines ? positions.startOf(lines[1] + 1) : 0;
    if (token.type === 'thead_open' && token.map) tableHead = shown.slice(from, to).trim();
    if (token.type === 'table_close') tableHead = '';
    const under = headings.map((heading) => heading.text);
    if (token.type === 'fence' || token.type === 'code_block') {
      const body = token.type === 'fence' ? positions.startOf((token.map?.[0] ?? 0) + 2) : from;
      if (isOwn(from)) continue;
      const language =
        token.info
          .trim()
          .split(/[\s,{]/)[0]
          ?.toLowerCase() ?? '';
      const before =
        tokens.slice(Math.max(0, index - 3), index).findLast(({ type }) => type === 'inline')?.content ?? '';
      blocks.push({ language, text: token.content, start: body, end: to, under, context: before });
    } else if (token.type === 'html_block' && !token.content.startsWith('<!--')) {
      for (const match of token.content.matchAll(HTML_LINK)) {
        const start = from + match.index + match[0].lastIndexOf(match[1] ?? '');
        const target = match[1] ?? '';
        if (!isOwn(from)) links.push({ target, start, end: start + target.length, under, context: match[0] });
      }
    } else if (token.type === 'inline') {
      const heading = tokens[index - 1]?.type === 'heading_open' ? tokens[index - 1] : undefined;
      if (heading) {
        const title = plainText(token);
        anchors.add(anchorKey(slugger.slug(title)));
        anchors.add(anchorKey(title));
        const level = Number(heading.tag.slice(1));
        while ((headings.at(-1)?.level ?? 0) >= level) headings.pop();
        headings.push({ level, text: title });
      }
      if (isOwn(from)) continue;
      const source = shown.slice(from, to);
      const context = tableHead === '' ? token.content : `${tableHead}\n${token.content}`;
      readInline(token, { source, from, under, context, links, spans });
      prose.push({ text: proseOf(token), start: from, end: to, under, context: tableHead });
    }
  }
  return { path, text, kind, links, spans, blocks, prose, anchors };
}

function plainText(inline: Token): string {
  return (inline.children ?? [])
    .filter(({ type }) => type === 'text' || type === 'code_inline' || type === 'text_special')
    .map(({ content }) => content)
    .join('');
}

function proseOf(inline: Token): string {
  return (inline.children ?? [])
    .map(({ type, content }) =>
      type === 'code_inline' ? '`…`' : /break$/.test(type) ? ' ' : /^text/.test(type) ? content : '',
    )
    .join('');
}

interface InlineTarget {
  readonly source: string;
  readonly from: number;
  readonly under: readonly string[];
  readonly context: string;
  readonly links: Link[];
  readonly spans: CodeSpan[];
}

/** Places the parts of a paragraph: the parser gives no offsets inside of one, but their order. */
function readInline(inline: Token, { source, from, under, context, links, spans }: InlineTarget): void {
  const begins = Math.max(0, source.indexOf(inline.content.split('\n')[0] ?? ''));
  let at = begins;
  const place = (needle: string): { start: number; end: number } => {
    const found = source.indexOf(needle, at);
    const anywhere = found < 0 ? source.indexOf(needle) : found;
    if (found >= 0) at = found + needle.length;
    if (anywhere < 0)
      return { start: from + begins, end: from + begins + (source.slice(begins).split('\n')[0]?.length ?? 0) };
    return { start: from + anywhere, end: from + anywhere + needle.length };
  };
  for (const child of inline.children ?? []) {
    if (child.type === 'code_inline') {
      const first = child.content.split(' ')[0] ?? child.content;
      const whole = source.includes(child.content) ? child.content : first;
      spans.push({ text: child.content, ...place(whole), under, context });
    } else if (child.type === 'link_open' || child.type === 'image') {
      const target = String(child.attrGet(child.type === 'image' ? 'src' : 'href') ?? '');
      // A reference link is written by its name: it is placed at its text.
      const needle = source.includes(target) ? target : child.content || target;
      // The cursor stays: the text of a link comes before its target.
      const before = at;
      links.push({ target, ...place(needle), under, context });
      at = before;
    } else if (child.type === 'html_inline') {
      for (const match of child.content.matchAll(HTML_LINK))
        links.push({ target: match[1] ?? '', ...place(match[1] ?? ''), under, context });
    }
  }
}
