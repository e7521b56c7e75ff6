/** What docs/engine.md says a step and a run may go through: the tables of its section 3. */
export interface Specification {
  /** `step FROM -> TO by EVENT`, `event NAME`, `outcome ROW`. */
  readonly transitions: readonly string[];
}

function section(markdown: string, from: RegExp, to: RegExp): string {
  const start = markdown.search(from);
  if (start < 0) throw new Error(`docs/engine.md has no ${from.source}`);
  const body = markdown.slice(markdown.indexOf('\n', start) + 1);
  const end = body.search(to);
  return end < 0 ? body : body.slice(0, end);
}

function cells(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** Reads the tables. Throws when they are not where they were. */
export function readSpecification(markdown: string): Specification {
  const states = section(markdown, /^## 3\. States of a step$/m, /^## /m);
  const edges = [...states.matchAll(/^ {2}(\S+) --> (\w+)(?:: (\w+))?$/gm)].map(
    ([, from = '', to = '', event = 'RunCreated']) => `step ${from} -> ${to} by ${event}`,
  );
  const events = [...states.matchAll(/^\| E\d+ .*$/gm)].flatMap(([line]) =>
    (cells(line)[1] ?? '').split(', ').map((name) => `event ${name}`),
  );
  const outcomes = section(states, /^### Outcomes and what follows$/m, /^#/m)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => `outcome ${cells(line).slice(0, 4).join(' | ')}`);
  if (edges.length === 0 || events.length === 0 || outcomes.length === 0)
    throw new Error('docs/engine.md: the tables of section 3 cannot be read');
  return { transitions: [...edges, ...events, ...outcomes] };
}
