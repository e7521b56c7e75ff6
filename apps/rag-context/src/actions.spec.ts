import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ActionBench } from '@devmesh/agent-kit/testing/test-context';
import { ragContextIndex, ragContextSearch } from '@devmesh/contracts/actions/rag-context';
import { MAX_OUTPUT_BYTES } from '@devmesh/contracts/action';
import type { ArtifactRef } from '@devmesh/contracts/artifact';
import { commitAll, makeRepository } from '@devmesh/repository/testing/sample-git';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LoadedIndexes } from './search/loaded-indexes.js';
import { searchAction } from './search/search.action.js';
import { index } from './search-index/index.action.js';

let bench: ActionBench;
let folders: string[] = [];
beforeEach(() => {
  bench = new ActionBench();
});
afterEach(async () => {
  await bench.dispose();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function repository(files: readonly (readonly [string | Buffer, string | Buffer])[]): string {
  const folder = makeRepository(files);
  folders = [...folders, folder];
  return folder;
}

type Indexed = ReturnType<typeof ragContextIndex.output.parse>;

async function indexed(folder: string): Promise<Indexed> {
  return ragContextIndex.output.parse(await index.run(bench.context({ repository: await bench.submit(folder) })));
}

async function search(
  artifact: ArtifactRef,
  query: string,
  limit = 10,
): Promise<ReturnType<typeof ragContextSearch.output.parse>['hits']> {
  const action = searchAction(new LoadedIndexes(), () => undefined);
  return ragContextSearch.output.parse(await action.run(bench.context({ index: artifact, query, limit }))).hits;
}

const FILES: (readonly [string, string])[] = [
  [
    'src/orders.ts',
    'export function totalPrice(order) {\n  return order.lines.length;\n}\n\nexport function shippingFor(total) {\n  return total;\n}\n',
  ],
  ['worker/mail.py', 'def send_reset_mail(to):\n    return to\n'],
  ['docs/guide.md', '# Guide\n\n## Refunds\n\nMoney goes back within a week.\n'],
];

describe('rag-context', () => {
  it('finds symbols by any part of their names, with place and snippet', async () => {
    const { index: artifact, files, chunks, languages } = await indexed(repository(FILES));
    expect({ files, chunks, languages }).toEqual({
      files: 3,
      chunks: 5,
      languages: { typescript: 1, python: 1, markdown: 1 },
    });
    const [best] = await search(artifact, 'shipping');
    expect(best).toMatchObject({ path: 'src/orders.ts', startLine: 5, endLine: 7, symbol: 'shippingFor' });
    expect(best?.snippet).toMatch(/^export function shippingFor/);
    expect((await search(artifact, 'sendResetMail'))[0]?.symbol).toBe('send_reset_mail');
    expect((await search(artifact, 'refund money'))[0]).toMatchObject({ path: 'docs/guide.md', symbol: 'Refunds' });
    expect(await search(artifact, 'unheardof')).toEqual([]);
  });

  it('leaves out what is no text of this repository', async () => {
    const folder = repository([
      ['a.txt', 'needle here'],
      ['binary.bin', Buffer.from('needle\0here')],
      ['huge.txt', 'needle '.repeat(100_000)],
      ['node_modules/x/index.js', 'export const needle = 1;\n'],
      ['lib.min.js', 'var needle=1'],
      ['.env', 'needle=1'],
      ['one-line.js', `var needle = "${'x'.repeat(5000)}"`],
      [Buffer.from([0x6e, 0xff, 0x2e, 0x6d, 0x64]), '# needle\n'],
      ['odd "name"\n.md', '# needle\n'],
    ]);
    symlinkSync('/etc/hostname', join(folder, 'link.txt'));
    symlinkSync('/etc', join(folder, 'etc'));
    commitAll(folder, 'Links');
    const { index: artifact } = await indexed(folder);
    const paths = (await search(artifact, 'needle', 50)).map(({ path }) => path);
    expect(paths.sort()).toEqual(['a.txt', 'n\ufffd.md', 'odd "name"\n.md'].sort());
  });

  it('keeps the answer within the size of an output', async () => {
    const many = Array.from({ length: 60 }, (_, i) => [`f${i}.txt`, `needle ${'"Wörter"\n'.repeat(200)}`] as const);
    const { index: artifact } = await indexed(repository(many));
    const hits = await search(artifact, 'needle', 50);
    expect(hits).toHaveLength(50);
    expect(Buffer.byteLength(JSON.stringify({ hits }))).toBeLessThan(MAX_OUTPUT_BYTES);
  });

  it('loads an index once for searches at the same time, and again after it was pushed out', async () => {
    const { index: artifact } = await indexed(repository(FILES));
    const bytes = bench.read(artifact);
    let reads = 0;
    const read = (): Promise<Buffer> => {
      reads += 1;
      return Promise.resolve(bytes);
    };
    const roomy = new LoadedIndexes();
    await Promise.all([roomy.get(artifact, read), roomy.get(artifact, read)]);
    await roomy.get(artifact, read);
    expect(reads).toBe(1);
    const tight = new LoadedIndexes(1);
    await tight.get(artifact, read);
    await tight.get(artifact, read);
    expect(reads).toBe(3);
  });

  it('tells how long a search took', async () => {
    const { index: artifact } = await indexed(repository(FILES));
    const seconds: number[] = [];
    const action = searchAction(new LoadedIndexes(), (took) => void seconds.push(took));
    await action.run(bench.context({ index: artifact, query: 'mail', limit: 1 }));
    expect(seconds).toHaveLength(1);
    expect(seconds[0]).toBeGreaterThan(0);
  });

  it('refuses an artifact that is no index', async () => {
    const other = bench.put(Buffer.from('{}'), { name: 'x', mediaType: 'application/json' });
    await expect(search(other, 'x')).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('stops when it is told to', async () => {
    const folder = repository(FILES);
    const context = bench.context({ repository: await bench.submit(folder) }, { signal: AbortSignal.abort() });
    await expect(index.run(context)).rejects.toMatchObject({ code: 'execution_cancelled' });
  });
});
