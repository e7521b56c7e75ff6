import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRICS } from '@devmesh/service-kit/metrics/catalogue';
import { describe, expect, it } from 'vitest';
import { root } from '../check/command.ts';
import { ALERTS } from './alerts.ts';
import { DASHBOARDS } from './dashboards.ts';
import { monitoringFiles } from './files.ts';
import { RECORDING_RULES } from './recording-rules.ts';
import { readSite } from './site.ts';

const folder = join(root, 'monitoring');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
/** What is in it and not generated. */
const BY_HAND = ['README.md', 'site.yaml'];

/** Names of metrics in an expression: words that no label matcher, function or keyword of PromQL is. */
function metricsIn(expr: string): string[] {
  const bare = expr.replaceAll(/"[^"]*"/g, '').replaceAll(/\b(by|on|without) ?\([^)]*\)/g, '');
  const inBraces = bare.replaceAll(/\{[^}]*\}/g, '').replaceAll(/\[[^\]]*\]/g, '');
  return [...inBraces.matchAll(/\b[a-zA-Z_][\w:]*\b(?!\s*\()/g)]
    .map(([word]) => word)
    .filter((word) => !['and', 'or', 'unless', 'on', 'by', 'le'].includes(word));
}

const EXPORTED = new Set([
  'up',
  'ALERTS',
  ...Object.keys(RECORDING_RULES),
  ...Object.entries(METRICS).flatMap(([name, { type }]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ),
]);

describe('what is generated for operators', () => {
  const files = monitoringFiles(readSite(join(folder, 'site.yaml')));

  it('is committed as it is generated: node tools/monitoring/main.ts', () => {
    for (const [path, text] of files) expect(read(`monitoring/${path}`), path).toBe(text);
    const there = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
    expect(there.filter((path) => !BY_HAND.includes(path)).toSorted()).toEqual([...files.keys()].toSorted());
  });

  it.each(
    DASHBOARDS.flatMap(({ title, panels }) => panels.map((panel) => [`${title}: ${panel.title}`, panel] as const)),
  )('%s shows metrics that are exported', (_, { queries }) => {
    const used = queries.flatMap(({ expr }) => metricsIn(expr));
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((name) => !EXPORTED.has(name))).toEqual([]);
  });

  it.each(
    Object.entries({ ...RECORDING_RULES, ...Object.fromEntries(Object.entries(ALERTS).map(([n, a]) => [n, a.expr])) }),
  )('%s is made of metrics that are exported', (_, expr) => {
    const used = metricsIn(expr);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((name) => !EXPORTED.has(name))).toEqual([]);
  });

  it.each(Object.entries(ALERTS))('%s is tested to fire and not to', (_, { cases }) => {
    expect(cases.some(({ fires }) => fires.length > 0)).toBe(true);
    expect(cases.length).toBeGreaterThan(1);
  });
});

describe('the runbooks', () => {
  const runbooks = readdirSync(join(root, 'docs/runbooks')).filter((name) => name !== 'README.md');

  it('are one for each alert, and no more', () => {
    expect(runbooks.toSorted()).toEqual(
      Object.keys(ALERTS)
        .map((name) => `${name}.md`)
        .toSorted(),
    );
  });

  it.each(runbooks)('%s says what it means, what to look at, what to do and when it is over', (name) => {
    const text = read(`docs/runbooks/${name}`);
    expect(text.match(/^#+ .*$/gm)).toEqual([
      `# ${name.replace('.md', '')}`,
      '## Meaning',
      '## Look at',
      '## Do',
      '## Over when',
    ]);
    const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link]) => link);
    for (const link of links) expect(() => read(join('docs/runbooks', link!)), link).not.toThrow();
  });
});
