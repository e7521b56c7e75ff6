/** Text from outside for use in a line of Markdown: no markup, no HTML, no line breaks, at most `limit` characters. */
export function plain(text: string, limit = 500): string {
  const flat = text
    .replace(/[\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, ' ')
    .replace(/[\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]/g, '')
    .replace(/ {2,}/g, ' ')
    .trim();
  const short = flat.length > limit ? `${cut(flat, limit - 1)}…` : flat;
  return short
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/([\\`*_{}[\]()#+!|~$@-])/g, (char, _group: string, offset: number) => escapeAt(char, short, offset))
    .replace(/^(\d+)([.)])/, '$1\\$2')
    .replace(/(https?|ftp):\/\//gi, '$1:&#47;&#47;')
    .replace(/\bwww\./gi, 'www&#46;');
}

/** Hyphens and plus signs mean something at the start of a line only; "@" would name people. */
function escapeAt(char: string, text: string, offset: number): string {
  if (char === '@') return '&#64;';
  if (char === '-' || char === '+' || char === '#')
    return offset === 0 || (char === '#' && /\d/.test(text[offset + 1] ?? '')) ? `\\${char}` : char;
  // Underscores inside words are harmless and would make names hard to read in the source.
  if (char === '_' && /\w/.test(text[offset - 1] ?? '') && /\w/.test(text[offset + 1] ?? '')) return char;
  if (char === '(' || char === ')' || char === '{' || char === '}') return char;
  return `\\${char}`;
}

function cut(text: string, length: number): string {
  const end = /[\ud800-\udbff]/.test(text[length - 1] ?? '') ? length - 1 : length;
  return text.slice(0, end);
}

/** Text from outside as code in a line or a table cell. A bar in it is kept from ending the cell. */
export function code(text: string, limit = 200): string {
  const flat = text.replace(/[\u0000-\u001f\u007f\u0085\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
  if (flat === '') return '';
  const short = flat.length > limit ? `${cut(flat, limit - 1)}…` : flat;
  // GitHub reads "\|" inside code in a table as a bar; outside of tables it would show the backslash.
  const longest = Math.max(0, ...[...short.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = short.startsWith('`') || short.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${short}${pad}${fence}`;
}

/** A table; cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A bar that isn't escaped yet would end the cell, also inside code. */
function cell(text: string): string {
  return text.replace(/(\\*)\|/g, (_whole, slashes: string) =>
    slashes.length % 2 === 1 ? `${slashes}|` : `${slashes}\\|`,
  );
}
