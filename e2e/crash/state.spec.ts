import type { RunId } from '@devmesh/contracts/ids';
import type { MeshBox } from '@devmesh/testing/mesh-box';
import { broken } from '@devmesh/testing/mesh-box-evidence';
import type { Fate, Passage } from '@devmesh/testing/mesh-box-wire';
import { BOX_WORKFLOWS } from '@devmesh/testing/mesh-box-workflows';
import { describe, expect, test } from 'vitest';
import { useMeshBox } from './use-mesh-box.js';

const STATE = 'state-persistence';
const ORCHESTRATOR = 'orchestrator-1';
const MIX: readonly string[] = [BOX_WORKFLOWS.six, BOX_WORKFLOWS.loop, BOX_WORKFLOWS.slow, BOX_WORKFLOWS.once];

function submit(box: MeshBox, count: number, sources = MIX): Promise<RunId[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => box.submit(sources[at % sources.length] ?? '')));
}

describe('the durable half dies', () => {
  const box = useMeshBox({ turns: 16 });

  /** Three times: runs are submitted, and at the first call of theirs that `wanted` accepts, `act` is done. */
  async function threeTimes(wanted: (passage: Passage) => boolean, act: () => Promise<Fate>): Promise<RunId[]> {
    const ids: RunId[] = [];
    for (let round = 0; round < 3; round++) {
      const met = box().wire.next((passage) => passage.caller === ORCHESTRATOR && wanted(passage), act);
      ids.push(...(await submit(box(), 12)));
      await met;
    }
    return ids;
  }

  test('C14: state-persistence killed between commit and reply', async () => {
    const orchestrator = box().pid(ORCHESTRATOR);
    const ids = await threeTimes(
      ({ calls, phase }) => phase === 'answer' && calls.has('append'),
      async () => {
        await box().kill(STATE);
        await box().start(STATE);
        return 'break';
      },
    );
    await box().ended(ids);
    expect(broken(await box().evidence(ids))).toEqual([]);
    expect(box().pid(ORCHESTRATOR)).toBe(orchestrator);
  });

  test('PostgreSQL killed and back: its clients live on, what was committed is there, and the queue works', async () => {
    const before = [ORCHESTRATOR, STATE].map((name) => box().pid(name));
    const ids = await threeTimes(
      ({ calls, phase }) => phase === 'request' && calls.has('append'),
      async () => {
        await box().kill('postgres');
        await box().start('postgres');
        return undefined;
      },
    );
    await box().ended(ids);
    expect(broken(await box().evidence(ids))).toEqual([]);
    expect([ORCHESTRATOR, STATE].map((name) => box().pid(name))).toEqual(before);

    const taken: string[] = [];
    box().wire.watch(({ calls, phase }) => {
      if (calls.has('queue-add') && phase === 'answer') taken.push('added');
      return undefined;
    });
    const [late = ''] = await submit(box(), 1, [BOX_WORKFLOWS.retry]);
    await box().ended([late]);
    expect(taken).not.toEqual([]);
  });

  test('C10: answers of the state lost on the wire, requests that arrive twice', async () => {
    let count = 0;
    box().wire.watch(({ caller, callee, phase }) => {
      if (callee !== STATE || caller !== ORCHESTRATOR) return undefined;
      if (phase === 'request') return ++count % 3 === 0 ? 'twice' : undefined;
      return phase === 'answer' && count % 4 === 0 ? 'break' : undefined;
    });
    const ids = await submit(box(), 24);
    await box().ended(ids);
    expect(broken(await box().evidence(ids))).toEqual([]);
  });
});
