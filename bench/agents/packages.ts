import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ReviewPool } from '@devmesh/analysis/findings/review-pool';
import { reviewTree } from '@devmesh/analysis/findings/review-tree';
import { cicdGenerate } from '@devmesh/contracts/actions/cicd';
import { documentationGenerate } from '@devmesh/contracts/actions/documentation';
import { infrastructureGenerate } from '@devmesh/contracts/actions/infrastructure';
import type { PatchRef } from '@devmesh/contracts/repository';
import { SEVERITIES, type Finding } from '@devmesh/contracts/finding';
import type { StackComponent } from '@devmesh/contracts/stack';
import { z } from 'zod';
import { generate as generateDocuments } from '../../apps/documentation/dist/sections/generate.action.js';
import { generate as generatePipeline } from '../../apps/cicd/dist/generate/generate.action.js';
import { generate as generateImages } from '../../apps/infrastructure/dist/generate/generate.action.js';
import { ActionBench } from '../../libs/agent-kit/dist/testing/test-context.js';
import { table } from '../stats.ts';
import { linesOf } from './lines.ts';
import { fetchPackage } from './registry-package.ts';
import { seeded } from './typescript-tree.ts';

/*
 * The agents on packages of others: `node bench/agents/packages.ts`, after a build. Each package in `expected/` is fetched once, by version
 * and hash, and nothing of it is run. What is detected is held to what stands in its file there, which was read from the package by people;
 * what is written is held by the validators that are on the PATH, and a second run must write nothing. `--only NAME`, `--draw N --seed N`
 * (findings for people to judge), `--keep FOLDER` (what was written).
 */

const { values: options } = parseArgs({
  options: {
    cache: { type: 'string', default: join(homedir(), '.cache', 'devmesh', 'packages') },
    only: { type: 'string' },
    draw: { type: 'string' },
    seed: { type: 'string', default: '11' },
    list: { type: 'boolean', default: false },
    keep: { type: 'string' },
  },
});

/** A value, and the file (with line, if one says it) that it must be told from. `null`: there is none, and none may be told. */
const Expected = z.strictObject({ value: z.string(), evidence: z.string() }).nullable();
const FACTS = ['runtime', 'packageManager', 'framework', 'entryPoint', 'port', 'startCommand', 'testCommand'] as const;

const ExpectedPackage = z.strictObject({
  from: z.enum(['npm', 'pypi-sdist', 'go']),
  name: z.string(),
  version: z.string(),
  hash: z.string(),
  components: z.array(
    z.strictObject({
      root: z.string(),
      language: z.string(),
      facts: z.partialRecord(z.enum(FACTS), Expected),
      /** All that it uses; one that is told beside them is wrong. */
      services: z.array(z.strictObject({ value: z.string(), evidence: z.string() })),
    }),
  ),
});
type ExpectedPackage = z.infer<typeof ExpectedPackage>;

interface Comparison {
  readonly right: number;
  readonly wrong: readonly string[];
}

function isTold(actual: StackComponent['port'], expected: z.infer<typeof Expected>): boolean {
  if (expected === null || actual === undefined) return expected === null && actual === undefined;
  const places = actual.evidence.flatMap(({ path, line }) => [path, `${path}:${line ?? ''}`]);
  return actual.value === expected.value && places.includes(expected.evidence);
}

const shown = (fact: StackComponent['port'] | z.infer<typeof Expected>): string =>
  fact === undefined || fact === null
    ? 'nothing'
    : `${fact.value} (${typeof fact.evidence === 'string' ? fact.evidence : fact.evidence.map(({ path, line }) => `${path}:${line ?? ''}`).join(', ')})`;

function compare(expected: ExpectedPackage, components: readonly StackComponent[]): Comparison {
  let right = 0;
  const wrong: string[] = [];
  const hold = (holds: boolean, problem: string): void => {
    if (holds) right += 1;
    else wrong.push(problem);
  };
  for (const { root, language } of components)
    hold(
      expected.components.some((one) => one.root === root && one.language === language),
      `${root} (${language}): told, and is none`,
    );
  for (const one of expected.components) {
    const found = components.find(({ root, language }) => root === one.root && language === one.language);
    if (!found) {
      wrong.push(`${one.root}: not told`);
      continue;
    }
    for (const fact of FACTS) {
      const wanted = one.facts[fact];
      if (wanted === undefined) continue;
      hold(isTold(found[fact], wanted), `${one.root} ${fact}: ${shown(found[fact])} instead of ${shown(wanted)}`);
    }
    for (const service of one.services)
      hold(
        found.services.some((actual) => isTold(actual, service)),
        `${one.root} service ${shown(service)}: not told`,
      );
    for (const service of found.services)
      if (!one.services.some(({ value }) => value === service.value))
        wrong.push(`${one.root} service ${shown(service)}: told, and is none`);
  }
  return { right, wrong };
}

interface Written {
  readonly components: readonly StackComponent[];
  readonly files: readonly string[];
  /** Files that a second run would change. */
  readonly again: readonly string[];
}

const git = (folder: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com', '-C', folder, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });

async function runAgent(
  agent: 'infrastructure' | 'cicd' | 'documentation',
  bench: ActionBench,
  repository: Awaited<ReturnType<ActionBench['submit']>>,
): Promise<{ patch: PatchRef | null; told?: readonly StackComponent[] }> {
  switch (agent) {
    case 'infrastructure': {
      const { patch, stack } = infrastructureGenerate.output.parse(
        await generateImages.run(bench.context({ repository, also: ['kubernetes', 'terraform'] })),
      );
      return { patch, told: stack.components };
    }
    case 'cicd':
      return cicdGenerate.output.parse(await generatePipeline.run(bench.context({ repository, provider: 'github' })));
    case 'documentation':
      return documentationGenerate.output.parse(await generateDocuments.run(bench.context({ repository })));
  }
}

/** Runs the agents that write files on a copy of a package, twice. */
async function write(folder: string): Promise<Written> {
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'add', '-A', '-f');
  git(folder, 'commit', '-q', '-m', 'as published');
  const files = new Set<string>();
  const again = new Set<string>();
  let components: readonly StackComponent[] = [];
  for (const changed of [files, again]) {
    const bench = new ActionBench();
    try {
      // One after the other, as in a run: each sees what those before it wrote.
      for (const agent of ['infrastructure', 'cicd', 'documentation'] as const) {
        const repository = await bench.submit(folder);
        const { patch, told } = await runAgent(agent, bench, repository);
        components = told ?? components;
        if (!patch) continue;
        const file = join(bench.shelf.folder, 'apply.patch');
        writeFileSync(file, bench.read(patch.artifact));
        git(folder, 'apply', '--index', file);
        git(folder, 'commit', '-q', '-m', `what ${agent} writes`);
        for (const path of patch.files) changed.add(path);
      }
    } finally {
      await bench.dispose();
    }
  }
  return { components, files: [...files].sort(), again: [...again].sort() };
}

interface Validator {
  readonly program: string;
  readonly files: RegExp;
  readonly args: readonly string[];
}

/** At level warning; what can't hold for every repository is left out as in the specs of the agents. */
const VALIDATORS: readonly Validator[] = [
  { program: 'hadolint', files: /(^|\/)Dockerfile$/, args: ['--failure-threshold', 'warning'] },
  { program: 'actionlint', files: /^\.github\/workflows\//, args: ['-shellcheck='] },
  {
    program: 'zizmor',
    files: /^\.github\/workflows\//,
    args: ['--offline', '--no-config', '--quiet', '--min-severity', 'medium'],
  },
  {
    program: 'checkov',
    files: /(^|\/)Dockerfile$|^\.github\/workflows\/|^(k8s|deploy|kubernetes)\/.*\.ya?ml$|\.tf$/,
    args: [
      '--quiet',
      '--compact',
      '--skip-download',
      '--skip-check',
      'CKV_DOCKER_2,CKV_K8S_8,CKV_K8S_9,CKV_K8S_35,CKV_K8S_43',
      '-f',
    ],
  },
];

/** What each validator says of the files that were written: `ok`, its words, or that it is not here. */
function validate(folder: string, files: readonly string[]): Map<string, string> {
  return new Map(
    VALIDATORS.map(({ program, files: mine, args }) => {
      const own = files.filter((path) => mine.test(path));
      if (own.length === 0) return [program, '-'];
      const { error, status, stdout, stderr } = spawnSync(program, [...args, ...own], {
        cwd: folder,
        encoding: 'utf8',
      });
      if (error) return [program, 'not here'];
      return [program, status === 0 ? 'ok' : `${stdout}${stderr}`.trim().slice(-3000)];
    }),
  );
}

interface Found {
  readonly name: string;
  readonly version: string;
  readonly finding: Finding;
}

const EXPECTED = fileURLToPath(new URL('expected/', import.meta.url));
const isHigh = ({ severity }: Finding): boolean => severity === 'high' || severity === 'critical';
const perThousand = (count: number, lines: number): string => ((count / lines) * 1000).toFixed(2);
const pool = new ReviewPool();
const all: Found[] = [];
const [reviewRows, writeRows]: [string[][], string[][]] = [[], []];
const said: string[] = [];
let lines = 0;
let right = 0;
let wrong = 0;
try {
  for (const file of readdirSync(EXPECTED).filter((one) => one.endsWith('.json'))) {
    if (options.only !== undefined && basename(file, '.json') !== options.only) continue;
    const expected = ExpectedPackage.parse(JSON.parse(readFileSync(join(EXPECTED, file), 'utf8')));
    const title = `${expected.name} ${expected.version}`;
    const root = fetchPackage(expected, options.cache);
    const { findings } = await reviewTree(root, { pool });
    const own = await linesOf(root);
    lines += own;
    all.push(...findings.map((finding) => ({ name: expected.name, version: expected.version, finding })));
    reviewRows.push([
      title,
      String(own),
      ...SEVERITIES.map((severity) => String(findings.filter((finding) => finding.severity === severity).length)),
      perThousand(findings.length, own),
      perThousand(findings.filter(isHigh).length, own),
    ]);
    const folder = mkdtempSync(join(tmpdir(), 'packages-'));
    try {
      cpSync(root, folder, { recursive: true });
      const written = await write(folder);
      const compared = compare(expected, written.components);
      right += compared.right;
      wrong += compared.wrong.length;
      said.push(...compared.wrong.map((one) => `${title}: ${one}`));
      const verdicts = validate(folder, written.files);
      for (const [program, words] of verdicts)
        if (!/^(ok|-|not here)$/.test(words)) said.push(`${title}: ${program}: ${words}`);
      writeRows.push([
        title,
        `${compared.right} of ${compared.right + compared.wrong.length}`,
        written.files.join(' '),
        ...VALIDATORS.map(({ program }) => {
          const words = verdicts.get(program) ?? '';
          return /^(ok|-|not here)$/.test(words) ? words : 'FINDINGS';
        }),
        written.again.length === 0 ? 'empty' : written.again.join(' '),
      ]);
      if (options.keep !== undefined) cpSync(folder, join(options.keep, basename(file, '.json')), { recursive: true });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
} finally {
  pool.close();
}
const findings = all.map(({ finding }) => finding);
reviewRows.push([
  'together',
  String(lines),
  ...SEVERITIES.map((severity) => String(findings.filter((finding) => finding.severity === severity).length)),
  perThousand(findings.length, lines),
  perThousand(findings.filter(isHigh).length, lines),
]);
console.log(table(['package', 'lines', ...SEVERITIES, 'per 1,000', 'high per 1,000'], reviewRows));
const rules = [...Map.groupBy(findings, ({ rule }) => rule)]
  .map(([rule, own]) => [rule, own[0]?.severity ?? '', String(own.length)])
  .sort((a, b) => Number(b[2]) - Number(a[2]));
console.log(`\n${table(['rule', 'severity', 'findings'], rules)}`);
console.log(
  `\n${table(['package', 'told right', 'written', ...VALIDATORS.map(({ program }) => program), 'second run'], writeRows)}`,
);
console.log(`\ntold right: ${right} of ${right + wrong}`);
for (const one of said) console.log(`\n${one}`);

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
