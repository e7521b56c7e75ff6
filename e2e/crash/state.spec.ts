import type { MeshBox } from '@devmesh/testing/mesh-box';
import { broken } from '@devmesh/testing/mesh-box-evidence';
import { BOX_WORKFLOWS } from '@devmesh/testing/mesh-box-workflows';
import { describe, expect, test } from 'vitest';
import { useMeshBox } from './use-mesh-box.js';

const STATE = 'state-persistence';

function submit(box: MeshBox, count: number) {
  const sources = [BOX_WORKFLOWS.six, BOX_WORKFLOWS.loop, BOX_WORKFLOWS.slow, BOX_WORKFLOWS.once];
  return Promise.all(Array.from({ length: count }, (_, at) => box.submit(sources[at % sources.length] ?? '')));
}

describe('the durable half dies', () => {
  const box = useMeshBox({ turns: 16 });

  test('C14: state-persistence killed between commit and reply', async () => {
    const orchestrator = box().pid('orchestrator-1');
    let killed = 0;
    const done = Promise.withResolvers<undefined>();
    box().wire.watch(async ({ caller, calls, phase }) => {
      if (
        killed >= 3 ||
        caller !== 'orchestrator-1' ||
        phase !== 'answer' ||
        !calls.has('append') ||
        !box().isUp(STATE)
      )
        return undefined;
      killed++;
      await box().kill(STATE);
      await box().start(STATE);
      if (killed === 3) done.resolve(undefined);
      return 'break';
    });
    const ids = await submit(box(), 32);
    await done.promise;
    await box().ended(ids);
    expect(broken(await box().evidence(ids))).toEqual([]);
    expect(box().pid('orchestrator-1')).toBe(orchestrator);
  });

  test('PostgreSQL killed and back, three times: its clients live on, and what was committed is there', async () => {
    const before = ['orchestrator-1', STATE].map((name) => box().pid(name));
    let killed = 0;
    const done = Promise.withResolvers<undefined>();
    box().wire.watch(async ({ caller, calls, phase }) => {
      if (killed >= 3 || caller !== 'orchestrator-1' || phase !== 'request' || !calls.has('append')) return undefined;
      const time = ++killed;
      await box().kill('postgres');
      await box().start('postgres');
      if (time === 3) done.resolve(undefined);
      return undefined;
    });
    const ids = await submit(box(), 32);
    await done.promise;
    await box().ended(ids);
    const evidence = await box().evidence(ids);
    expect(broken(evidence)).toEqual([]);
    expect(['orchestrator-1', STATE].map((name) => box().pid(name))).toEqual(before);
    // The queue works again, and not only the poll.
    const added = box().wire.next(({ calls, phase }) => calls.has('queue-add') && phase === 'answer');
    const [late = ''] = await submit(box(), 1);
    await box().ended([late]);
    void added;
  });

  test('C10: answers of the state lost on the wire, requests that arrive twice', async () => {
    let count = 0;
    box().wire.watch(({ caller, callee, phase }) => {
      if (callee !== STATE || caller !== 'orchestrator-1') return undefined;
      if (phase === 'request') return ++count % 3 === 0 ? 'twice' : undefined;
      return phase === 'answer' && count % 4 === 0 ? 'break' : undefined;
    });
    const ids = await submit(box(), 24);
    await box().ended(ids);
    expect(broken(await box().evidence(ids))).toEqual([]);
  });
});
