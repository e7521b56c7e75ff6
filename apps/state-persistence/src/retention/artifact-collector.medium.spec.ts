import { createHash } from 'node:crypto';
import { executionKey } from '@devmesh/contracts/ids';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { waiters } from '../testing/lock-waiters.js';
import {
  builtOn,
  createRetentionFixture,
  DAY,
  endedRun,
  naming,
  ownedRun,
  UPLOAD_GRACE,
  type RetentionFixture,
} from '../testing/retention.fixture.js';
import { appendOp, createOp, createStateFixture, T0, type StateFixture } from '../testing/state.fixture.js';

let fixture: StateFixture;
let kept: RetentionFixture;
beforeAll(async () => {
  fixture = await createStateFixture(inject('postgresUrl'));
});
afterAll(() => fixture.close());
beforeEach(async () => {
  kept = await createRetentionFixture(fixture);
  fixture.clock.now = T0;
  await fixture.db.write({
    name: 'quiet',
    text: 'truncate runs, run_heads, run_events, inbox, appends, executions, run_artifacts, artifacts',
    values: [],
  });
});
afterEach(() => kept.close());

const content = Buffer.from('the same patch again');
const contentDigest = createHash('sha256').update(content).digest('hex');
const sweep = (): Promise<void> => kept.retention().sweep();

/** Digests that have a file, and those that have a row: always the same. */
async function there(): Promise<string[]> {
  const files = await kept.files();
  expect([...(await kept.times()).keys()].sort()).toEqual(files);
  return files;
}

async function turn(ms: number): Promise<void> {
  fixture.clock.now += ms;
  await sweep();
}

/** A point that work comes to, and waits at until it may go on. */
class Gate {
  readonly reached: Promise<void>;
  open!: () => void;
  private readonly opened: Promise<void>;
  private reach!: () => void;

  constructor() {
    this.reached = new Promise((resolve) => (this.reach = resolve));
    this.opened = new Promise((resolve) => (this.open = resolve));
  }

  pass = (): Promise<void> => {
    this.reach();
    return this.opened;
  };
}

describe('an artifact', () => {
  test('that nothing ever referred to is kept until the longest step could have named it, and then goes', async () => {
    const digest = await kept.upload();
    await turn(UPLOAD_GRACE - 1);
    expect(await there()).toEqual([digest]);
    await turn(1);
    expect(await there()).toEqual([]);
    expect(kept.collected).toEqual({ artifacts: 1, bytes: 20 });
    await expect(kept.artifacts.announce(digest)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('that was uploaded again, or asked for, is kept as if it were new', async () => {
    const [again, asked, loose] = [await kept.upload(content), await kept.upload(), await kept.upload()];
    fixture.clock.now += DAY;
    await kept.upload(content);
    expect(await kept.artifacts.announce(asked)).toBe(20);
    await turn(UPLOAD_GRACE - DAY);
    expect(await there()).toEqual([again, asked].sort());
    expect(await there()).not.toContain(loose);
    await turn(DAY);
    expect(await there()).toEqual([]);
  });

  test('that a run lists or is built on is kept with the detail of that run, and a day longer', async () => {
    const [listed, base, result] = [await kept.upload(), await kept.upload(), await kept.upload()];
    await endedRun(fixture, builtOn(base), naming(listed, result));
    await turn(UPLOAD_GRACE);
    expect([...(await kept.times()).values()]).toEqual([null, null, null]);
    // Another run goes on from the result of the first one.
    const second = await endedRun(fixture, builtOn(result));
    await turn(30 * DAY - UPLOAD_GRACE);
    expect((await fixture.state.runs.list({ limit: 10 })).items.filter((run) => run.prunedAt)).toHaveLength(1);
    await turn(DAY - 1);
    expect(await there()).toHaveLength(3);
    await turn(1);
    expect(await there()).toEqual([result]);
    await turn(UPLOAD_GRACE);
    expect((await fixture.state.runs.get(second)).prunedAt).toBeDefined();
    await turn(DAY);
    expect(await there()).toEqual([]);
  });

  test('of a run under way is never removed: listed, in its repository, told and not taken in, or put on record by a claim', async () => {
    const [listed, base, told, claimed] = [
      await kept.upload(),
      await kept.upload(),
      await kept.upload(),
      await kept.upload(),
    ];
    const { runId, epoch } = await ownedRun(fixture, builtOn(base));
    await fixture.one(appendOp(runId, epoch, naming(listed)), 'appended');
    const outcome = (digest: string) => ({ kind: 'succeeded', output: { bundle: { digest } } }) as const;
    const message = { kind: 'result', key: executionKey(runId, 'only', 1, 1), outcome: outcome(told) } as const;
    await fixture.state.inbox.post(runId, { dedupeKey: 'result', message });
    const key = executionKey(runId, 'only', 1, 2);
    await fixture.state.executions.claim({ key, instance: 'i', leaseMs: 1_000 });
    await fixture.state.executions.recordOutcome({ key, instance: 'i', outcome: outcome(claimed) });
    for (let i = 0; i < 3; i++) await turn(1_000 * DAY);
    expect(await there()).toEqual([listed, base, told, claimed].sort());
  });

  test('whose file cannot be removed stays on record, and is tried again after an hour', async () => {
    const [stuck, loose] = [await kept.upload(), await kept.upload()];
    kept.beforeRemoval = (digest) =>
      digest === stuck ? Promise.reject(new Error('read-only file system')) : Promise.resolve();
    await turn(UPLOAD_GRACE);
    expect(await there()).toEqual([stuck]);
    expect(kept.collected.artifacts).toBe(1);
    expect(loose).not.toBe(stuck);
    kept.beforeRemoval = () => Promise.resolve();
    await turn(3600_000 - 1);
    expect(await there()).toEqual([stuck]);
    await turn(1);
    expect(await there()).toEqual([]);
  });

  test('many of them go in one sweep, whatever the size of a transaction', async () => {
    for (let i = 0; i < 230; i++) await kept.upload();
    await turn(UPLOAD_GRACE);
    expect(await there()).toEqual([]);
    expect(kept.collected).toEqual({ artifacts: 230, bytes: 230 * 20 });
  });
});

/** A sweep that is about to remove the file of the content, with its row locked. */
async function removingContent(): Promise<{ gate: Gate; removing: Promise<void> }> {
  await kept.upload(content);
  fixture.clock.now += UPLOAD_GRACE;
  const gate = new Gate();
  kept.beforeRemoval = gate.pass;
  const removing = sweep();
  await gate.reached;
  return { gate, removing };
}

describe('at the same moment', () => {
  test('an upload of what is just being removed waits, and is there afterwards', async () => {
    const { gate, removing } = await removingContent();
    const upload = kept.upload(content);
    await waiters(await fixture.connect(), 1);
    gate.open();
    await Promise.all([removing, upload]);
    expect(await there()).toEqual([contentDigest]);
    await sweep();
    expect(await there()).toEqual([contentDigest]);
  });

  test('whoever asks for what is just being removed waits, and is told that it is not there', async () => {
    const { gate, removing } = await removingContent();
    const asked = kept.artifacts.announce(contentDigest).catch((error: { code: string }) => error.code);
    await waiters(await fixture.connect(), 1);
    gate.open();
    await removing;
    expect(await asked).toBe('not_found');
  });

  test('one that was uploaded before the sweep came to it is left alone, though its file is not there yet', async () => {
    await kept.upload(content);
    fixture.clock.now += UPLOAD_GRACE;
    const gate = new Gate();
    // The upload has its row, and is about to put its file in place.
    const upload = kept.store.write(contentDigest, [content] as unknown as AsyncIterable<Uint8Array>, async () => {
      await kept.artifacts.announce(contentDigest);
      await gate.pass();
    });
    await gate.reached;
    await sweep();
    gate.open();
    await upload;
    expect(await there()).toEqual([contentDigest]);
  });

  test.each([
    ['lists it', (digest: string) => naming(digest)],
    ['is built on it', (digest: string) => builtOn(digest)],
  ])(
    'a run that %s, on record after the artifact was locked and before it was looked at, keeps it',
    async (_, refer) => {
      const digest = await kept.upload();
      const [holder, onlooker] = [await fixture.connect(), await fixture.connect()];
      fixture.clock.now += UPLOAD_GRACE;
      await holder.query('begin');
      // The sweep holds the artifact and waits here for what refers to it; a create does not.
      await holder.query('lock table inbox in access exclusive mode');
      const removing = sweep();
      await waiters(onlooker, 1);
      await fixture.one(createOp(refer(digest)), 'created');
      await holder.query('commit');
      await removing;
      expect(await there()).toEqual([digest]);
      expect([...(await kept.times()).values()]).toEqual([null]);
    },
  );

  test('a run that lets go of what is just found to be referred to has it looked at again', async () => {
    const [loose, listed] = [await kept.upload(), await kept.upload()];
    await endedRun(fixture, {}, naming(listed));
    fixture.clock.now += 30 * DAY;
    const gate = new Gate();
    const prune = (): Promise<unknown> =>
      kept.retention().prune({ projectId: 'default', olderThanMs: 0, dryRun: false });
    const collecting = kept.collector.collect(
      { limit: 10, now: fixture.clock.now, retryAt: fixture.clock.now },
      async () => {
        await gate.pass();
        return new Set();
      },
    );
    await gate.reached;
    const pruning = prune();
    await waiters(await fixture.connect(), 1);
    gate.open();
    await Promise.all([collecting, pruning]);
    expect(await kept.times()).toEqual(new Map([[listed, fixture.clock.now + DAY]]));
    expect(loose).not.toBe(listed);
  });

  test('instances that sweep at once remove each artifact once', async () => {
    for (let i = 0; i < 250; i++) await kept.upload();
    fixture.clock.now += UPLOAD_GRACE;
    await Promise.all([sweep(), sweep(), sweep()]);
    await sweep();
    expect(await there()).toEqual([]);
    expect(kept.collected.artifacts).toBe(250);
  });

  test('a service that dies between removing a file and saying so leaves a row, which the next sweep removes', async () => {
    const digest = await kept.upload();
    fixture.clock.now += UPLOAD_GRACE;
    const dying = kept.collector.collect({ limit: 10, now: fixture.clock.now, retryAt: 0 }, async () => {
      await kept.store.remove(digest);
      throw new Error('killed');
    });
    await expect(dying).rejects.toThrow('killed');
    expect([...(await kept.times()).keys()]).toEqual([digest]);
    await expect(kept.artifacts.announce(digest)).rejects.toMatchObject({ code: 'not_found' });
    await turn(UPLOAD_GRACE);
    expect(await there()).toEqual([]);
  });
});
