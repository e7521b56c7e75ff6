import { rmSync } from 'node:fs';
import type { PruneBody, PruneReply } from '@devmesh/contracts/retention';
import { afterEach, describe, expect, it } from 'vitest';
import { fakeContext, recordedOutput, type FakeContext } from '../testing/fake-context.js';
import { pruneRuns, type PruneOptions } from './prune.js';

const DAY = 24 * 3600_000;
let made: FakeContext[] = [];
afterEach(() => {
  for (const { home } of made) rmSync(home.root, { recursive: true, force: true });
  made = [];
});

/** A mesh that answers in this order, and what it was asked. */
async function prune(
  options: Partial<PruneOptions>,
  answers: readonly PruneReply[],
  context: Parameters<typeof fakeContext>[0] = {},
): Promise<{ code: number; said: string; asked: PruneBody[] }> {
  const cli = fakeContext(context);
  made.push(cli);
  const asked: PruneBody[] = [];
  const left = [...answers];
  const api = {
    prune: (body: PruneBody) => {
      asked.push(body);
      const answer = left.shift();
      return answer === undefined ? Promise.reject(new Error('asked once too often')) : Promise.resolve(answer);
    },
  };
  const code = await pruneRuns(cli, api, { olderThan: 7 * DAY, ...options });
  return { code, said: cli.out.text(), asked };
}

const found = { runs: 1200, events: 9000, more: false };
const parts = [
  { runs: 1000, events: 8000, more: true },
  { runs: 200, events: 1000, more: false },
] as const;

describe('prune', () => {
  it('only counts when it is told to', async () => {
    const { code, said, asked } = await prune({ dryRun: true }, [found]);
    expect([code, asked]).toEqual([0, [{ olderThanMs: 7 * DAY, dryRun: true }]]);
    expect(said).toBe(
      'would remove the detail of 1200 runs that ended more than 7 d 0 h ago (9000 events); verdicts, reasons and effects stay\n',
    );
  });

  it('goes on until nothing is left', async () => {
    const { code, said, asked } = await prune({ yes: true }, [found, ...parts]);
    expect([code, asked.length]).toEqual([0, 3]);
    expect(said).toMatch(/removed the detail of 1200 runs \(9000 events\)/);
  });

  it('asks first, and does nothing when the answer is no', async () => {
    const out = recordedOutput({ terminal: true });
    const questions: string[] = [];
    const confirm = (question: string): Promise<boolean> => {
      questions.push(question);
      return Promise.resolve(false);
    };
    const { code, said, asked } = await prune({}, [found], { out, confirm });
    expect([code, said, asked.length]).toEqual([130, 'nothing was removed\n', 1]);
    expect(questions).toEqual([expect.stringMatching(/1200 runs .* for good/)]);
  });

  it('wants --yes where nobody can be asked', async () => {
    await expect(prune({}, [found])).rejects.toThrow(/--yes/);
    await expect(prune({ json: true }, [found], { out: recordedOutput({ terminal: true }) })).rejects.toThrow(/--yes/);
  });

  it('has nothing to ask when there is nothing', async () => {
    const none = { runs: 0, events: 0, more: false };
    expect((await prune({}, [none])).said).toBe('no run ended more than 7 d 0 h ago and still has its detail\n');
    expect((await prune({ json: true }, [none])).said).toBe('{"dryRun":false,"runs":0,"events":0}\n');
  });

  it('says it as JSON', async () => {
    expect((await prune({ json: true, dryRun: true }, [found])).said).toBe(
      '{"dryRun":true,"runs":1200,"events":9000}\n',
    );
    expect((await prune({ json: true, yes: true }, [found, ...parts])).said).toBe(
      '{"dryRun":false,"runs":1200,"events":9000}\n',
    );
  });
});
