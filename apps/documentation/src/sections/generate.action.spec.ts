import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
  const files = output.patch?.files ?? ['README.md'];
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), readFileSync(join(workspace.path, file)));
  }
  const readme = readFileSync(join(workspace.path, files.find((file) => /^readme/i.test(file)) ?? 'README.md'), 'utf8');
  commitAll(folder, 'Second');
  const again = await generate.run(bench.context({ repository: await bench.submit(folder) }));
  return { output, readme, again: documentationGenerate.output.parse(again) };
}

describe('documentation/generate with a history', () => {
  const of = (...tags: string[]) =>
    bench.put(
      Buffer.from(
        JSON.stringify({
          version: 1,
          commits: [{ commit: 'c'.repeat(40), at: 0, title: 'Begin', tags, isMerge: false, byMesh: false }],
          complete: true,
        }),
      ),
      { name: 'history.json', mediaType: 'application/json' },
    ).digest;
  const runOn = async (folder: string, history: string): Promise<Output> => {
    const context = bench.context({ repository: await bench.submit(folder), history });
    return documentationGenerate.output.parse(await generate.run(context));
  };

  it('writes a changelog of what was released, and changes nothing the second time', async () => {
    const folder = repository(Object.entries(CODE));
    const first = await runOn(folder, of('v1.0.0'));
    expect(first.patch?.files).toContain('CHANGELOG.md');
    expect(first.sections).toContain('changelog');
    const workspace = await bench.checkOut(await bench.submit(folder));
    if (first.patch) await applyPatch(workspace, bench.read(first.patch.artifact));
    for (const file of first.patch?.files ?? [])
      writeFileSync(join(folder, file), readFileSync(join(workspace.path, file)));
    expect(readFileSync(join(folder, 'CHANGELOG.md'), 'utf8')).toContain(
      '## v1.0.0 (1970-01-01)\n\n- Begin (cccccccc)\n',
    );
    commitAll(folder, 'Second');
    expect((await runOn(folder, of('v1.0.0'))).patch).toBeNull();
    expect((await runOn(folder, of('v2.0.0'))).patch?.files).toEqual(['CHANGELOG.md']);
  });

  it.each([
    ['nothing was released', [], 'nightly'],
    ['people write their own', [['CHANGES.rst', 'ours\n']], 'v1.0.0'],
  ] as const)('writes none where %s', async (_why, files, tag) => {
    const output = await runOn(repository([...Object.entries(CODE), ...files]), of(tag));
    expect(output.patch?.files).not.toContain('CHANGELOG.md');
    expect(output.sections).not.toContain('changelog');
  });
});

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

  it('puts what others import, flags and the map of modules beside the README, with a link', async () => {
    const files = {
      'package.json': '{"name": "@acme/kit", "exports": "./src/index.ts", "dependencies": {"commander": "14"}}',
      'src/index.ts': "export * from './client.js';\nexport { parse as read } from './text/parse.js';\n",
      'src/client.ts': `import { parse } from './text/parse.js';
/** Talks to <b>shops</b>. More. */
export class Client<T> {
  /** Fetches one | all. */
  async get(id: string, ...rest: T[]): Promise<T> { return parse(id) as T; }
  private hidden(): void {}
}
`,
      'src/text/parse.ts': '/** Reads text. */\nexport const parse = (text: string): unknown => text;\n',
      'src/cli.ts':
        "import { program } from 'commander';\nimport './client.js';\nprogram.option('-d, --dry-run', 'only say `what`');\n",
    };
    const folder = repository(Object.entries(files));
    const { output, readme, again } = await runIn(folder);
    expect(output.patch).toMatchObject({ title: 'Add README.md and docs/reference.md' });
    expect(output.sections.slice(-4)).toEqual(['reference', 'flags', 'api', 'modules']);
    expect(readme).toContain('[docs/reference.md](docs/reference.md): flags, API, modules.');
    const reference = readFileSync(join(folder, 'docs/reference.md'), 'utf8');
    expect(reference).toContain('- `class Client<T>` in `src/client.ts`: Talks to &lt;b&gt;shops&lt;/b&gt;.\n');
    expect(reference).toContain('  - `async get(id: string, ...rest: T[]): Promise<T>`: Fetches one \\| all.');
    expect(reference).not.toContain('hidden');
    expect(reference).toContain('- `const parse = (text: string): unknown` in `src/text/parse.ts`: Reads text.');
    expect(reference).toContain('| `-d`, `--dry-run` |  | only say \\`what\\` | `src/cli.ts` |');
    expect(reference).toMatch(/m0\["src\/cli#46;ts"\]|m0\["src\/cli\.ts"\]/);
    expect(again.patch).toBeNull();
  });

  it('lets no name of a file become syntax of a map', async () => {
    const evil = 'src/a"]; click m0 call x() %%{init}%%.ts';
    const files: [string, string][] = [
      ['package.json', '{"name": "kit", "exports": "./src/index.ts"}'],
      ['src/index.ts', "export * from './a\"]; click m0 call x() %%{init}%%.js';\nimport './b.js';\n"],
      [evil, "import './b.js';\nexport const a = 1;\n"],
      ['src/b.ts', 'export const b = 2;\n'],
    ];
    const folder = repository(files);
    await runIn(folder);
    const reference = readFileSync(join(folder, 'docs/reference.md'), 'utf8');
    const map = /```mermaid\n([\s\S]*?)```/.exec(reference)?.[1] ?? '';
    expect(map.split('\n').filter((line) => line !== '')).toHaveLength(1 + 3 + 3);
    for (const line of map.split('\n').slice(1, 4)) expect(line).toMatch(/^ {2}m\d\["[\p{L}\p{N} ._/@#;-]*"\]$/u);
  });

  it('leaves a reference that people wrote', async () => {
    const files = {
      'package.json': '{"name": "kit", "main": "index.js"}',
      'index.js': 'exports.a = () => 1;\n',
      'docs/reference.md': '# Mine\n',
    };
    const { output } = await runIn(repository(Object.entries(files)));
    expect(output.patch?.files ?? []).not.toContain('docs/reference.md');
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
