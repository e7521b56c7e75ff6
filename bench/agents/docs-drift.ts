import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Finding } from '@devmesh/contracts/finding';
import { judgeCases, readDocumentCases, scoreOf } from '@devmesh/analysis/documents/corpus';
import { findDrift } from '@devmesh/analysis/documents/find-drift';
import { plant } from '@devmesh/analysis/documents/plant';
import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { table } from '../stats.ts';

/*
 * What the check of documents finds: in the labelled trees, in published packages (every finding judged by hand, in
 * docs-drift.verdicts.json), in this repository, and of statements planted into their documents. `node bench/agents/docs-drift.ts`;
 * packages are fetched once, by npm and pip, into a folder of the system's temporary one. `--verdicts` prints what was not judged.
 */

const NPM = ['fastify@5.6.1', 'pino@9.9.5', 'commander@14.0.1', 'axios@1.12.2', 'zod@4.1.11', 'yargs@18.0.0'];
const PYPI = ['flask==3.1.2', 'click==8.3.0', 'requests==2.32.5', 'black==25.9.0', 'rich==14.1.0'];
const CLONE = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = join(tmpdir(), 'devmesh-bench', 'docs-drift');

/** `package rule path statement` → whether the document is really wrong there, and why. */
type Verdicts = Readonly<Record<string, { readonly right: boolean; readonly why: string }>>;
const VERDICTS = JSON.parse(readFileSync(new URL('docs-drift.verdicts.json', import.meta.url), 'utf8')) as Verdicts;

/** The unpacked package. pip gets the source distribution. */
function obtain(wanted: string, fetch: (folder: string) => void): string {
  const folder = join(CACHE, wanted.replace(/[^\w.-]+/g, '_'));
  if (!existsSync(join(folder, 'tree'))) {
    mkdirSync(folder, { recursive: true });
    fetch(folder);
    const archive = readdirSync(folder).find((name) => /\.(tgz|tar\.gz)$/.test(name)) ?? 'no archive was fetched';
    mkdirSync(join(folder, 'tree.part'), { recursive: true });
    execFileSync('tar', ['xzf', join(folder, archive), '-C', join(folder, 'tree.part'), '--strip-components', '1']);
    cpSync(join(folder, 'tree.part'), join(folder, 'tree'), { recursive: true });
    rmSync(join(folder, 'tree.part'), { recursive: true });
  }
  return join(folder, 'tree');
}

interface Checked {
  readonly findings: readonly Finding[];
  readonly documents: number;
  readonly statements: number;
  readonly ms: number;
}

async function check(root: string): Promise<Checked> {
  const tree = await SourceTree.open(root);
  const stack = await detectStack(tree);
  const start = performance.now();
  return { ...(await findDrift(tree, stack)), ms: performance.now() - start };
}

/** How many statements planted into the documents of a tree are found, by rule. */
async function plantAndCheck(
  root: string,
  copy: string,
  recall: Map<string, { planted: number; found: number }>,
): Promise<void> {
  rmSync(copy, { recursive: true, force: true });
  cpSync(root, copy, {
    recursive: true,
    filter: (path) => !/(^|\/)(node_modules|\.git|dist|\.devmesh)(\/|$)/.test(path.slice(root.length)),
  });
  const tree = await SourceTree.open(copy);
  const planted = await plant(tree, await detectStack(tree));
  for (const { path, text } of planted.documents) writeFileSync(join(copy, path), text);
  const { findings } = await check(copy);
  for (const { rule, path, line, now } of planted.statements) {
    const sum = recall.get(rule) ?? { planted: 0, found: 0 };
    const found = findings.some(
      (finding) =>
        finding.rule === rule &&
        finding.location.path === path &&
        (finding.location.startLine === line || finding.message.includes(now)),
    );
    recall.set(rule, { planted: sum.planted + 1, found: sum.found + (found ? 1 : 0) });
  }
  rmSync(copy, { recursive: true, force: true });
}

const corpus = scoreOf(await judgeCases(readDocumentCases(join(CLONE, 'libs/analysis/corpus/documents'))));
console.log(
  `labelled trees: ${corpus.found} of ${corpus.planted} planted statements found, ${corpus.falseAlarms} of ${corpus.cases} trees with a false alarm\n`,
);

const trees: [string, string][] = [
  ...NPM.map((name): [string, string] => [
    name,
    obtain(name, (folder) => execFileSync('npm', ['pack', name, '--silent', '--pack-destination', folder])),
  ]),
  ...PYPI.map((name): [string, string] => [
    name,
    obtain(name, (folder) =>
      execFileSync('python3', ['-m', 'pip', 'download', '--no-deps', '--no-binary', ':all:', '-q', '-d', folder, name]),
    ),
  ]),
  ['this repository', CLONE],
];
const recall = new Map<string, { planted: number; found: number }>();
const rows: string[][] = [];
const open: string[] = [];
for (const [name, root] of trees) {
  const { findings, documents, statements, ms } = await check(root);
  const judged = findings.map((finding) => {
    const key = [name, finding.rule, finding.location.path, finding.message.split(/[,;:] /)[0]].join(' | ');
    if (!(key in VERDICTS)) open.push(key);
    return VERDICTS[key];
  });
  const right = judged.filter((verdict) => verdict?.right === true).length;
  const wrong = judged.filter((verdict) => verdict?.right === false).length;
  rows.push([
    name,
    String(documents),
    String(statements),
    String(findings.length),
    String(right),
    String(wrong),
    ms.toFixed(0),
  ]);
  await plantAndCheck(root, join(CACHE, 'planted'), recall);
}
console.log(table(['tree', 'documents', 'statements', 'findings', 'right', 'wrong', 'ms'], rows));
const byRule = [...recall]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([rule, { planted, found }]) => [
    rule,
    String(planted),
    String(found),
    `${Math.round((100 * found) / planted)} %`,
  ]);
console.log(`\nplanted into these documents:\n${table(['rule', 'planted', 'found', 'recall'], byRule)}`);
if (open.length > 0) {
  console.log(`\nnot judged: ${open.length}`);
  if (process.argv.includes('--verdicts')) console.log(open.join('\n'));
}
