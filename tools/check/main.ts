import { performance } from 'node:perf_hooks';
import { relative } from 'node:path';
import { parseArgs, stripVTControlCharacters, styleText } from 'node:util';
import { root } from './command.ts';
import type { Counts } from './counts.ts';
import { checks } from './stages.ts';
import { listPeers, obtainPeers } from '../real-peers/main.ts';
import { peers as knownPeers } from '../real-peers/peers.ts';
import { runTests, testProjects, usualProjects } from './tests.ts';

const help = `./devmesh test [--peers] [--only checks|unit|medium|e2e|crash|real]... [FILTER]...

Runs every check and every test, sums up, and ends with the line "N passed, N failed"; a check counts as one, a test as
one, and a test that is skipped, todo or focused counts as failed. Exit code: 0 all passed, 1 not, 2 wrong use.

  checks   ${checks.map((check) => check.name).join(', ')}
  unit     tests of single modules (*.spec.ts)
  medium   tests with a real PostgreSQL (*.medium.spec.ts)
  e2e      the mesh as a user meets it (e2e/*.spec.ts)
  crash    services killed in the midst of their work (e2e/crash/*.spec.ts)
  real     what needs Consul, Redis, Prometheus, ... on the PATH (*.real.spec.ts); only when named

  --peers  gets those programs first, into a folder outside the clone, and runs real: what tools/verify-real does.
           With --only PEER it gets that one alone; with --list it says which there are, and gets none

  tools/verify-real --only consul --only toxiproxy e2e/real

  ./devmesh test --only checks
  ./devmesh test --only checks lint         one of the checks
  ./devmesh test --only unit libs/workflow  tests in files whose path contains libs/workflow
`;

interface Line extends Counts {
  name: string;
  seconds: number;
}

const parts = ['checks', ...testProjects] as const;
const { chosen, filters, peers } = readArguments(process.argv.slice(2));
const lines: Line[] = [];
const reasons: string[] = [];
/** Whether tests were found; those whose peers no machine of this kind gets are no reason to fail. */
let somethingRan = false;

if (chosen.has('checks')) {
  const named =
    chosen.size === 1 && filters.length > 0 ? checks.filter((check) => filters.includes(check.name)) : checks;
  if (named.length === 0)
    wrongUse(`there is no check ${filters.join(', ')}; there are ${checks.map((check) => check.name).join(', ')}`);
  for (const check of named) {
    heading(check.name, check.hint);
    const start = performance.now();
    const { passed, output } = await check.run().catch((error: unknown) => ({ passed: false, output: String(error) }));
    if (!passed) {
      print(output.trimEnd());
      reasons.push(`${check.name}: ${check.hint}`);
    }
    sumUp(check.name, { passed: passed ? 1 : 0, failed: passed ? 0 : 1 }, start);
  }
}
if (peers !== null) {
  heading('peers', 'programs that the mesh works with');
  const start = performance.now();
  const broken = await obtainPeers(peers, print);
  reasons.push(...broken);
  if (broken.length > 0) sumUp('peers', { passed: 0, failed: broken.length }, start);
}
for (const project of testProjects) {
  if (!chosen.has(project)) continue;
  heading(project, 'vitest');
  const start = performance.now();
  const counts = await runTests(project, filters);
  reasons.push(...counts.reasons.map((reason) => reason.replaceAll(`${root}/`, '')));
  if (counts.notToBeHad !== undefined)
    print(
      `\nnot run, as what they need could not be had here:\n${counts.notToBeHad.map((name) => `  ${name}`).join('\n')}`,
    );
  if (counts.quarantined !== undefined)
    print(`\nfailed, but quarantined:\n${counts.quarantined.map((line) => `  ${line}`).join('\n')}`);
  somethingRan ||= counts.passed > 0 || counts.notToBeHad !== undefined || counts.quarantined !== undefined;
  sumUp(project, counts, start);
}

print('');
for (const line of lines) {
  const mark = line.failed === 0 ? styleText('green', 'ok    ') : styleText('red', 'FAILED');
  const counts = `${line.passed} passed, ${line.failed} failed`;
  print(`${mark} ${line.name.padEnd(11)} ${line.seconds.toFixed(1).padStart(6)} s  ${counts}`);
}
if (reasons.length > 0) print(`\n${reasons.map((reason) => `- ${reason}`).join('\n')}`);
const passed = lines.reduce((sum, line) => sum + line.passed, 0);
const failed = lines.reduce((sum, line) => sum + line.failed, 0);
print(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && (passed > 0 || somethingRan) ? 0 : 1;

function readArguments(args: string[]): { chosen: Set<string>; filters: string[]; peers: string[] | null } {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        peers: { type: 'boolean' },
        list: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      process.stdout.write(help);
      process.exit(0);
    }
    const peers = values.peers === true ? (values.only ?? []) : null;
    const unknownPeer = peers?.find((peer) => !knownPeers.some(({ name }) => name === peer));
    if (unknownPeer !== undefined)
      wrongUse(`--only ${unknownPeer}: there are ${knownPeers.map(({ name }) => name).join(', ')}`);
    if (values.list === true) {
      if (peers === null) wrongUse('--list goes with --peers');
      listPeers(print);
      process.exit(0);
    }
    const only = peers === null ? (values.only ?? []) : ['real'];
    const unknown = only.find((part) => !parts.some((known) => known === part));
    if (unknown !== undefined) wrongUse(`--only ${unknown}: there are ${parts.join(', ')}`);
    if (positionals.length > 0 && only.length === 0) {
      wrongUse(`"${positionals[0]}" needs to know where to look: add --only unit, medium, e2e, crash or real`);
    }
    return {
      chosen: new Set(only.length === 0 ? ['checks', ...usualProjects] : only),
      filters: positionals.map(fromRoot),
      peers,
    };
  } catch (error) {
    return wrongUse(error instanceof Error ? error.message : String(error));
  }
}

/** Vitest runs in the root of the clone; a path that the shell completed may start elsewhere. */
function fromRoot(filter: string): string {
  return filter.startsWith('/') ? relative(root, filter) : filter;
}

function wrongUse(message: string): never {
  process.stderr.write(`devmesh test: ${message}\nSee ./devmesh test --help\n`);
  process.exit(2);
}

function heading(name: string, hint: string): void {
  print(`\n${styleText('bold', name)} ${styleText('dim', hint)}`);
}

function sumUp(name: string, counts: Counts, start: number): void {
  lines.push({ name, passed: counts.passed, failed: counts.failed, seconds: (performance.now() - start) / 1000 });
}

function print(text: string): void {
  process.stdout.write(`${process.stdout.isTTY ? text : stripVTControlCharacters(text)}\n`);
}
