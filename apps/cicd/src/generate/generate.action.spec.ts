import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ActionBench } from '@devmesh/agent-kit/testing/test-context';
import { cicdGenerate } from '@devmesh/contracts/actions/cicd';
import { applyPatch } from '@devmesh/repository/patch';
import { makeRepository } from '@devmesh/repository/testing/sample-git';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { generate } from './generate.action.js';

let bench: ActionBench;
beforeEach(() => {
  bench = new ActionBench();
});
const folders: string[] = [];
afterEach(async () => {
  await bench.dispose();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function repository(files: Parameters<typeof makeRepository>[0]): string {
  const folder = makeRepository(files);
  folders.push(folder);
  return folder;
}

interface Job {
  'timeout-minutes': number;
  defaults?: { run: { 'working-directory': string } };
  services?: Record<string, unknown>;
  env?: Record<string, string>;
  steps: { name?: string; uses?: string; with?: Record<string, unknown>; run?: string }[];
}
interface Workflow {
  permissions: unknown;
  concurrency: unknown;
  jobs: Record<string, Job>;
}

type Output = ReturnType<typeof cicdGenerate.output.parse>;

async function run(
  files: Record<string, string>,
): Promise<{ output: Output; text: string; workflow: Workflow; again: Output }> {
  const folder = repository(Object.entries(files));
  const ref = await bench.submit(folder);
  const output = cicdGenerate.output.parse(await generate.run(bench.context({ repository: ref })));
  const workspace = await bench.checkOut(ref);
  if (output.patch) await applyPatch(workspace, bench.read(output.patch.artifact));
  const text = output.patch ? readFileSync(join(workspace.path, '.github/workflows/ci.yml'), 'utf8') : '';
  // The result, as a repository of its own, for a second run.
  const next = repository([
    ...Object.entries(files),
    ...(text === '' ? [] : ([['.github/workflows/ci.yml', text]] as const)),
  ]);
  const again = cicdGenerate.output.parse(await generate.run(bench.context({ repository: await bench.submit(next) })));
  return { output, text, workflow: parse(text) as Workflow, again };
}

const NODE = {
  'package.json': JSON.stringify({
    name: 'web',
    scripts: { test: 'vitest run', lint: 'eslint .' },
    engines: { node: '^22.0.0' },
    dependencies: { pg: '8' },
  }),
  'package-lock.json': '{}',
  'src/db.js':
    "import pg from 'pg';\nexport const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });\n",
  'test/db.test.js': "import { pool } from '../src/db.js';\n",
};

describe('cicd/generate', () => {
  it('writes a job with least rights, bounds, pinned actions and the services that tests reach', async () => {
    const { output, text, workflow, again } = await run(NODE);
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(workflow.concurrency).toMatchObject({ 'cancel-in-progress': true });
    const job = workflow.jobs['web']!;
    expect(job['timeout-minutes']).toBeGreaterThan(0);
    for (const line of text.split('\n').filter((one) => one.includes('uses:'))) {
      expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
    expect(job.steps[1]?.with).toEqual({
      'node-version': '22',
      cache: 'npm',
      'cache-dependency-path': 'package-lock.json',
    });
    expect(Object.keys(job.services ?? {})).toEqual(['postgres']);
    expect(job.env).toEqual({ DATABASE_URL: 'postgresql://postgres@localhost:5432/postgres' });
    expect(output.jobs).toEqual([{ id: 'web', runs: ['npm ci', 'npm run lint', 'npm run test'] }]);
    expect(again).toMatchObject({ patch: null, jobs: [], kept: [{ path: '.github/workflows/ci.yml' }] });
  });

  it('starts no service for tests that reach none', async () => {
    const { workflow } = await run({ ...NODE, 'test/db.test.js': "import test from 'node:test';\n" });
    expect(workflow.jobs['web']?.services).toBeUndefined();
  });

  it('has only steps whose command exists, and no job without any', async () => {
    const { output } = await run({
      'package.json': '{"name": "web", "scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}',
      'a.js': '1;\n',
    });
    expect(output).toMatchObject({ patch: null, jobs: [] });
    expect(output.summary).toMatch(/no component/);
  });

  it('installs tools of Python with the versions that are asked for', async () => {
    const { output } = await run({
      'requirements.txt': 'flask==3.0.3\n',
      'pyproject.toml': '[project]\nname = "svc"\n[project.optional-dependencies]\ndev = ["pytest>=8.2"]\n',
      'svc/app.py': 'from flask import Flask\napp = Flask(__name__)\n',
      'tests/test_app.py': 'def test_it():\n    assert True\n',
    });
    expect(output.jobs).toEqual([
      { id: 'svc', runs: ['python -m pip install --requirement requirements.txt "pytest>=8.2"', 'python -m pytest'] },
    ]);
  });

  it.each([['.gitlab-ci.yml'], ['.github/workflows/build.yaml'], ['Jenkinsfile']])('keeps %s', async (path) => {
    const { output } = await run({ ...NODE, [path]: 'on: push\n' });
    expect(output).toMatchObject({ patch: null, kept: [{ path }] });
  });

  it('adds to a pipeline that only makes releases', async () => {
    const { output } = await run({ ...NODE, '.github/workflows/release.yml': 'on:\n  push:\n    tags: [v*]\n' });
    expect(output.patch?.files).toEqual(['.github/workflows/ci.yml']);
    expect(output.kept).toMatchObject([{ path: '.github/workflows/release.yml' }]);
  });

  it('writes each job whole, though jobs have parts in common', async () => {
    const part = (root: string): Record<string, string> =>
      Object.fromEntries(Object.entries(NODE).map(([path, text]) => [`${root}/${path}`, text]));
    const { text, workflow } = await run({ ...part('one'), ...part('two') });
    expect(Object.keys(workflow.jobs)).toEqual(['one', 'two']);
    expect(text).not.toMatch(/: [&*]a\d/);
  });

  it('gives the sample repository a job for each of its components', async () => {
    const shop = fileURLToPath(new URL('../../../../examples/shop', import.meta.url));
    const files = readdirSync(shop, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const { output, workflow, again } = await run(
      Object.fromEntries(files.map((file) => [file.slice(shop.length + 1), readFileSync(file, 'utf8')])),
    );
    expect(output.jobs.map(({ id }) => id)).toEqual(['api', 'storefront', 'worker']);
    expect(workflow.jobs['api']?.defaults).toEqual({ run: { 'working-directory': 'api' } });
    expect(again.patch).toBeNull();
  });
});
