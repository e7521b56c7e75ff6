import { rmSync } from 'node:fs';
import { ActionBench } from '@devmesh/agent-kit/testing/test-context';
import { infrastructureGenerate } from '@devmesh/contracts/actions/infrastructure';
import { makeRepository } from '@devmesh/repository/testing/sample-git';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

const FILES = {
  'package.json': '{"name": "web", "scripts": {"start": "node server.js"}, "dependencies": {"express": "5"}}',
  'server.js': "import express from 'express';\nexpress().listen(3000);\n",
};

async function run(
  files: Record<string, string | Buffer>,
): Promise<ReturnType<typeof infrastructureGenerate.output.parse>> {
  const ref = await bench.submit(repository(Object.entries(files)));
  return infrastructureGenerate.output.parse(await generate.run(bench.context({ repository: ref })));
}

describe('infrastructure/generate', () => {
  it('gives the stack and one patch with the missing files', async () => {
    const output = await run(FILES);
    expect(output.stack.components).toMatchObject([
      { name: 'web', framework: { value: 'express' }, port: { value: '3000' } },
    ]);
    expect(output.patch?.files).toEqual(['.dockerignore', 'Dockerfile', 'compose.yaml']);
    expect(output.patch?.title).toBe('Add container images and a compose file');
  });

  it('says which files the repository ignores instead of writing them unseen', async () => {
    const output = await run({ ...FILES, '.gitignore': 'compose.yaml\n' });
    expect(output.patch?.files).toEqual(['.dockerignore', 'Dockerfile']);
    expect(output.kept).toEqual([
      { path: 'compose.yaml', reason: 'not written: the .gitignore of the repository names it' },
    ]);
  });

  it('skips a broken manifest, names it, and goes on', async () => {
    const output = await run({
      'a/package.json': '{"name": ',
      'b/package.json': FILES['package.json'],
      'b/server.js': FILES['server.js'],
    });
    expect(output.stack.components.map(({ root }) => root)).toEqual(['b']);
    expect(output.summary).toContain('a/package.json was skipped: it is not valid JSON');
  });

  it('has nothing to say about a repository without components', async () => {
    const output = await run({ 'notes.txt': 'hello\n' });
    expect(output).toMatchObject({ patch: null, stack: { components: [], languages: {} } });
  });
});
