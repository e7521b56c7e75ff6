import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ActionBench } from '@devmesh/agent-kit/testing/test-context';
import { documentationGenerate } from '@devmesh/contracts/actions/documentation';
import { applyPatch } from '@devmesh/repository/patch';
import { commitAll, makeRepository } from '@devmesh/repository/testing/sample-git';
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

type Output = ReturnType<typeof documentationGenerate.output.parse>;

const CODE = {
  'package.json':
    '{"name": "web", "description": "Shows <b>things</b> | all", "scripts": {"start": "node server.js"}, "dependencies": {"express": "5"}}',
  'server.js': `import express from 'express';
const app = express();
const secret = process.env.SESSION_SECRET ?? 'hunter2';
app.get('/things/:id', (_request, response) => response.send(secret));
app.listen(process.env.PORT ?? 3000);
`,
};

async function runIn(folder: string): Promise<{ output: Output; readme: string; again: Output }> {
  const ref = await bench.submit(folder);
  const output = documentationGenerate.output.parse(await generate.run(bench.context({ repository: ref })));
  const workspace = await bench.checkOut(ref);
  if (output.patch) await applyPatch(workspace, bench.read(output.patch.artifact));
  const name = output.patch?.files[0] ?? 'README.md';
  const readme = readFileSync(join(workspace.path, name), 'utf8');
  writeFileSync(join(folder, name), readme);
  commitAll(folder, 'Second');
  const again = await generate.run(bench.context({ repository: await bench.submit(folder) }));
  return { output, readme, again: documentationGenerate.output.parse(again) };
}

describe('documentation/generate', () => {
  it('writes a README where there is none, and nothing the second time', async () => {
    const { output, readme, again } = await runIn(repository(Object.entries(CODE)));
    expect(output).toMatchObject({ patch: { title: 'Add README.md', files: ['README.md'] } });
    expect(output.sections).toEqual(['overview', 'commands', 'environment', 'routes']);
    expect(readme).toMatch(/^# web\n/);
    expect(readme).toContain('| GET | `/things/:id` | web | `server.js` |');
    expect(readme).toContain('Shows &lt;b&gt;things&lt;/b&gt; \\| all');
    expect(again.patch).toBeNull();
  });

  it('tells what the README says that is not so, and leaves it', async () => {
    const before = '# Mine\n\nStart with `npm run strat`, see [it](gone.md).\n';
    const files = { ...CODE, 'README.md': before, '.gitignore': 'x\n' };
    const { output, readme } = await runIn(repository(Object.entries(files)));
    expect(output).toMatchObject({ counts: { low: 1 }, documents: 1 });
    expect(output.summary).toContain('; 1 finding (1 low) in 1 documents');
    expect(readme.startsWith(before)).toBe(true);
  });

  it('shows no default that may be a secret', async () => {
    const { readme } = await runIn(repository(Object.entries(CODE)));
    expect(readme).toContain('| `SESSION_SECRET` | web | (set in the code) | `server.js` |');
    expect(readme).not.toContain('hunter2');
  });

  it('keeps what people wrote, byte for byte, with its line ends', async () => {
    const before = '# Mine\r\n\r\nA text.   \r\n';
    const { readme, again } = await runIn(repository(Object.entries({ ...CODE, 'Readme.md': before })));
    expect(readme.startsWith(before)).toBe(true);
    expect(readme.replaceAll('\r\n', '')).not.toContain('\n');
    expect(again.patch).toBeNull();
  });

  it.each([
    ['a doubled marker', '<!-- devmesh:begin routes --><!-- devmesh:begin routes -->', 'inside'],
    ['another encoding', Buffer.from([0x23, 0x20, 0xe4, 0x0a]), 'not UTF-8'],
  ])('leaves a README with %s alone and says so', async (_what, content, why) => {
    const { output } = await runIn(repository([...Object.entries(CODE), ['README.md', content]]));
    expect(output.patch).toBeNull();
    expect(output.summary).toContain(why);
  });

  it('does not write through a link', async () => {
    const folder = repository(Object.entries(CODE));
    symlinkSync('server.js', join(folder, 'README.md'));
    commitAll(folder, 'Link');
    const output = await generate.run(bench.context({ repository: await bench.submit(folder) }));
    expect(output).toMatchObject({ patch: null, summary: 'README.md is a link and is left as it is' });
  });

  it('changes only the README of the sample repository, once', async () => {
    const folder = repository([]);
    cpSync(fileURLToPath(new URL('../../../../examples/shop', import.meta.url)), folder, { recursive: true });
    commitAll(folder, 'Shop');
    const { output, readme, again } = await runIn(folder);
    expect(output.patch?.files).toEqual(['README.md']);
    expect(readme).toContain('| GET | `/products/search` | shop-api |');
    expect(readme).toContain('| GET | `/queue` | shop-worker |');
    expect(again.patch).toBeNull();
  });
});
