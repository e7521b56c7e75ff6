import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  commitAll,
  importManyFiles,
  makeHostile,
  makeRepository,
  proofsLeft,
  removeAll,
  userGit,
  writeFiles,
} from '@devmesh/repository/testing/sample-git';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { DEFECT, noticesOf, serve } from './support/cases.js';
import { Devmesh, type RunResult } from './support/devmesh.js';
import { processesOf } from './support/leftovers.js';

let devmesh: Devmesh;
const made: string[] = [];

beforeAll(async () => {
  devmesh = await Devmesh.make(inject('clone'));
  expect(await devmesh.run(['up', '--quiet'])).toEqual({ code: 0, stdout: '', stderr: '' });
});

afterEach(() => removeAll(...made.splice(0)));

afterAll(async () => {
  await devmesh.down();
  const left = processesOf(devmesh.folder);
  await devmesh.remove();
  expect(left).toEqual([]);
});

/** A repository with a defect in `src/token.ts` and other files, in a folder with a space. */
function repositoryOf(...files: (readonly [string | Buffer, string | Buffer])[]): string {
  const repository = makeRepository([['src/token.ts', DEFECT], ...files]);
  made.push(repository);
  return repository;
}

const branchOf = ({ run }: RunResult): string => `devmesh/${run.id}`;

/** What git has at a path of the result, by its mode and id: a name that is no text is given as bytes. */
function entries(repository: string, commit: string): string[] {
  return userGit(repository, ['ls-tree', '-r', '-z', commit])
    .split('\0')
    .filter((line) => line !== '');
}

/** A file of the result. */
const fileOf = (repository: string, result: RunResult, path: string): string =>
  userGit(repository, ['show', `${branchOf(result)}:${path}`]);

function expectFixed(repository: string, result: RunResult, path = 'src/token.ts'): void {
  const text = fileOf(repository, result, path);
  expect(text).toContain('token');
  expect(text).not.toContain('Math.random');
}

it('a shallow clone', async () => {
  const origin = repositoryOf(['a.md', 'a\n']);
  commitAll(origin, 'Second');
  const shallow = join(devmesh.folder, 'shallow');
  made.push(shallow);
  userGit(devmesh.folder, ['clone', '--quiet', '--depth=1', `file://${encodeURI(origin)}`, shallow]);
  const result = await serve(devmesh, shallow);
  expect(noticesOf(result)).toMatchObject({
    shallow: expect.stringContaining('only the history that it holds') as string,
  });
  expectFixed(shallow, result);
  expect(userGit(shallow, ['merge-base', 'HEAD', branchOf(result)])).toBe(userGit(shallow, ['rev-parse', 'HEAD']));
});

it('a detached HEAD', async () => {
  const repository = repositoryOf();
  const head = userGit(repository, ['rev-parse', 'HEAD']);
  commitAll(repository, 'Second');
  userGit(repository, ['checkout', '--quiet', '--detach', head]);
  const result = await serve(devmesh, repository);
  expect(noticesOf(result)).toMatchObject({ detached_head: expect.stringContaining(head.slice(0, 12)) as string });
  expect(userGit(repository, ['merge-base', 'HEAD', branchOf(result)])).toBe(head);
  expectFixed(repository, result);
});

it('a dirty tree: work is done on HEAD, and what is not in it is said', async () => {
  const repository = repositoryOf(['kept.ts', 'export const kept = 1;\n'], ['staged.ts', 'export const staged = 1;\n']);
  writeFiles(repository, [
    ['kept.ts', 'export const kept = 2;\n'],
    ['staged.ts', 'export const staged = 2;\n'],
    ['new.ts', DEFECT],
  ]);
  userGit(repository, ['add', 'staged.ts']);
  const result = await serve(devmesh, repository);
  const said = noticesOf(result)['dirty_tree'] ?? '';
  for (const text of ['2 uncommitted', 'kept.ts', 'staged.ts', '1 untracked', 'new.ts', 'work is done on commit'])
    expect(said).toContain(text);
  expect(fileOf(repository, result, 'kept.ts')).toBe('export const kept = 1;');
  expect(fileOf(repository, result, 'staged.ts')).toBe('export const staged = 1;');
  expect(entries(repository, branchOf(result)).join('\n')).not.toContain('new.ts');
  expectFixed(repository, result);
});

it('submodules: left alone, and said', async () => {
  const repository = repositoryOf(['.gitmodules', '[submodule "lib"]\n\tpath = vendor/lib\n\turl = ext::sh -c true\n']);
  const pinned = '1'.repeat(40);
  userGit(repository, ['update-index', '--add', '--cacheinfo', `160000,${pinned},vendor/lib`]);
  userGit(repository, ['commit', '--quiet', '-m', 'Pin the library']);
  const result = await serve(devmesh, repository);
  expect(noticesOf(result)['submodules']).toBe('submodules are left alone: vendor/lib');
  expect(entries(repository, branchOf(result))).toContain(`160000 commit ${pinned}\tvendor/lib`);
  expectFixed(repository, result);
});

it('Git LFS pointers: left alone, and said', async () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 123456789\n`;
  const repository = repositoryOf(
    ['.gitattributes', '*.psd filter=lfs diff=lfs merge=lfs -text\n'],
    ['art.psd', pointer],
  );
  const result = await serve(devmesh, repository);
  expect(noticesOf(result)['lfs_pointers']).toContain('art.psd');
  expect(`${fileOf(repository, result, 'art.psd')}\n`).toBe(pointer);
  expectFixed(repository, result);
});

it('links that leave the repository: not followed', async () => {
  const outside = join(devmesh.folder, 'outside');
  made.push(outside);
  mkdirSync(outside);
  const secret = `export const secretOutside = '${randomBytes(8).toString('hex')}';\n${DEFECT}`;
  writeFileSync(join(outside, 'outside.ts'), secret);
  const repository = repositoryOf();
  symlinkSync(join(outside, 'outside.ts'), join(repository, 'src', 'absolute.ts'));
  symlinkSync(outside, join(repository, 'folder'));
  symlinkSync('../../../../../../etc', join(repository, 'src', 'up'));
  // What the mesh would write goes through a link too, were it to follow one.
  symlinkSync(join(outside, 'readme'), join(repository, 'README.md'));
  symlinkSync(join(outside, 'ci'), join(repository, '.github'));
  writeFiles(repository, [
    ['package.json', '{ "name": "small", "scripts": { "start": "node src/token.js", "test": "node --test" } }\n'],
  ]);
  commitAll(repository, 'Links');
  const result = await serve(devmesh, repository);
  const said = noticesOf(result)['outside_links'] ?? '';
  for (const link of ['src/absolute.ts', 'folder', 'src/up', 'README.md', '.github']) expect(said).toContain(link);
  expect(readFileSync(join(outside, 'outside.ts'), 'utf8')).toBe(secret);
  expect(readdirSync(outside)).toEqual(['outside.ts']);
  for (const name of readdirSync(join(result.delivered?.folder ?? '', 'artifacts')))
    expect(readFileSync(join(result.delivered?.folder ?? '', 'artifacts', name), 'utf8')).not.toContain(
      'secretOutside',
    );
  const links = entries(repository, branchOf(result)).filter((line) => line.startsWith('120000'));
  expect(links).toHaveLength(5);
  expectFixed(repository, result);
});

it('names with spaces, quotes, newlines and bytes that are not UTF-8: mended like any other', async () => {
  const names = [
    'src/a b.ts',
    'src/it\'s "so".ts',
    'src/two\nlines.ts',
    'src/-rf.ts',
    'src/$(touch x);`y`.ts',
    'src/\\n.ts',
    'src/ü.ts',
  ];
  const bytes = Buffer.concat([Buffer.from('src/not-'), Buffer.from([0xff, 0xfe, 0xe9]), Buffer.from('.ts')]);
  const repository = repositoryOf(...[...names, bytes].map((name) => [name, DEFECT] as const));
  const result = await serve(devmesh, repository);
  expect(noticesOf(result)['non_utf8_names']).toContain('not-');
  for (const name of names) expectFixed(repository, result, name);
  const list = (commit: string): string => userGit(repository, ['ls-tree', '-r', '-z', '--name-only', commit, 'src']);
  expect(list(branchOf(result))).toBe(list('HEAD'));
  const oddId = createHash('sha1').update(`blob ${DEFECT.length}\0${DEFECT}`).digest('hex');
  // The file whose name is no text is mended as well, or left as it is: never broken, never doubled.
  expect(entries(repository, 'HEAD').filter((line) => line.includes(oddId))).toHaveLength(names.length + 2);
  expect(entries(repository, branchOf(result)).filter((line) => line.includes(oddId)).length).toBeLessThanOrEqual(1);
});

it('binary files and one of 50 MB: kept byte for byte, and the large one said', async () => {
  const large = Buffer.alloc(50 * 1024 ** 2, randomBytes(1024));
  const repository = repositoryOf(
    ['large.bin', large],
    ['small.png', randomBytes(5_000)],
    ['binary.ts', Buffer.concat([Buffer.from(DEFECT), Buffer.alloc(100)])],
  );
  const result = await serve(devmesh, repository);
  expect(noticesOf(result)['large_files']).toContain('large.bin');
  const kept = (commit: string): string[] =>
    entries(repository, commit).filter((line) => /large\.bin|small\.png|binary\.ts/.test(line));
  expect(kept(branchOf(result))).toEqual(kept('HEAD'));
  expectFixed(repository, result);
});

it('20,000 files', async () => {
  const repository = repositoryOf();
  importManyFiles(repository, 20_000);
  const result = await serve(devmesh, repository);
  expect(entries(repository, branchOf(result)).length).toBeGreaterThan(20_000);
  expectFixed(repository, result);
});

it('CRLF: kept, in the line that changes too', async () => {
  const crlf = `// first\r\n${DEFECT.replace('\n', '\r\n')}// last, without an end`;
  const repository = repositoryOf(
    ['src/windows.ts', crlf],
    ['.gitattributes', '*.md text eol=crlf\n'],
    ['README.md', '# Shop\r\n\r\nText.\r\n'],
  );
  const result = await serve(devmesh, repository);
  const fixed = fileOf(repository, result, 'src/windows.ts');
  expect(fixed).not.toContain('Math.random');
  expect(fixed.split('\r\n')).toHaveLength(3);
  expect(fixed.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(fixed.startsWith('// first\r\n')).toBe(true);
  expect(fixed.endsWith('\r\n// last, without an end')).toBe(true);
});

it('a hostile repository: no setting, hook or attribute of it ever runs', async () => {
  const repository = repositoryOf(
    ['.gitattributes', '* filter=evil diff=evil merge=evil\n*.md filter=evilprocess\n*.psd filter=lfs\n'],
    ['README.md', '# Shop\n'],
    ['art.psd', 'x'.repeat(200)],
    ['.npmrc', 'ignore-scripts=false\nnode-options=--import=./evil.mjs\n'],
    [
      'package.json',
      JSON.stringify({ name: 'evil', scripts: { preinstall: 'touch ran', start: 'node x', test: 'touch ran' } }),
    ],
  );
  const proofs = makeHostile(repository);
  made.push(proofs);
  appendFileSync(join(repository, 'README.md'), 'Changed.\n');
  const result = await serve(devmesh, repository);
  await devmesh.run(['diff', result.run.id], { cwd: repository });
  expect(proofsLeft(proofs)).toEqual([]);
  // Looked at through another repository, for this one's settings would run programs now.
  const looker = makeRepository([]);
  made.push(looker);
  writeFileSync(
    join(looker, '.git', 'objects', 'info', 'alternates'),
    `${JSON.stringify(join(repository, '.git', 'objects'))}\n`,
  );
  const text = userGit(looker, ['show', `${result.run.result?.commit ?? ''}:src/token.ts`]);
  expect(text).not.toContain('Math.random');
});
