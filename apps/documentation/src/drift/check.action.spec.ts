import { rmSync } from 'node:fs';
import { ActionBench } from '@devmesh/agent-kit/testing/test-context';
import { documentationCheck } from '@devmesh/contracts/actions/documentation';
import { FindingsDocument } from '@devmesh/contracts/finding';
import { makeRepository } from '@devmesh/repository/testing/sample-git';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { check } from './check.action.js';

let bench: ActionBench;
beforeEach(() => {
  bench = new ActionBench();
});
const folders: string[] = [];
afterEach(async () => {
  await bench.dispose();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function checked(files: Record<string, string>): Promise<ReturnType<typeof documentationCheck.output.parse>> {
  const folder = makeRepository(Object.entries(files));
  folders.push(folder);
  return documentationCheck.output.parse(await check.run(bench.context({ repository: await bench.submit(folder) })));
}

describe('documentation/check', () => {
  it('stores what does not hold, and counts it', async () => {
    const output = await checked({
      'README.md': '# A\n\n[gone](docs/gone.md)\n',
      'docs/there.md': '# B\n',
      '.gitignore': 'x\n',
    });
    expect(output).toMatchObject({
      documents: 2,
      counts: { low: 1, high: 0 },
      summary: '1 finding (1 low) in 2 documents',
    });
    const { findings } = FindingsDocument.parse(JSON.parse(bench.read(output.findings).toString()));
    expect(findings).toMatchObject([
      { rule: 'docs-broken-link', class: 'docs-drift', location: { path: 'README.md', startLine: 3 } },
    ]);
  });

  it('says so when everything holds', async () => {
    const output = await checked({ 'README.md': '# A\n\n[there](docs/there.md)\n', 'docs/there.md': '# B\n' });
    expect(output).toMatchObject({ counts: { low: 0, info: 0 }, summary: '2 documents say nothing that is not so' });
  });
});
