import type { RunId, UnixMs } from '@devmesh/contracts/ids';
import type { BatchOp, BatchResult, InboxPost } from '@devmesh/contracts/state-api';
import type { Flaw } from '../simulator/scenarios.js';
import { StateStore } from '../simulator/state-store.js';
import type { SeededMutant } from './seeded-mutant.js';

type Change = (apply: (op: BatchOp) => BatchResult, op: BatchOp, store: Leaky) => BatchResult;

/** A store whose operations are changed on their way in, or their answers on their way out. */
class Leaky extends StateStore {
  private uuids = 0;

  constructor(
    private readonly change?: Change,
    private readonly rowsWake = true,
  ) {
    super();
  }

  override apply(op: BatchOp, now: UnixMs): BatchResult {
    const whole = (changed: BatchOp) => super.apply(changed, now);
    return this.change ? this.change(whole, op, this) : whole(op);
  }

  override post(runId: RunId, post: InboxPost, now: UnixMs) {
    const before = this.runs.get(runId)?.wakeAt ?? null;
    const posted = super.post(runId, post, now);
    const run = this.runs.get(runId);
    if (run && !this.rowsWake) run.wakeAt = before;
    return posted;
  }

  /** Lets the run sleep as the park asked for, whatever is unread. */
  sleep(runId: RunId, wakeAt: UnixMs | null): void {
    const run = this.runs.get(runId);
    if (!run) return;
    run.wakeAt = wakeAt;
    run.inTurn = false;
  }

  freshId(): string {
    return `00000000-0000-4000-9000-${String(++this.uuids).padStart(12, '0')}`;
  }
}

function storeWith(change: Change): Flaw {
  return { store: () => new Leaky(change) };
}

/** Ways in which what the engine stands on breaks its word: the state service, agents, actors. */
export const STORE_MUTANTS: readonly SeededMutant[] = [
  {
    name: 'appends of owners that have been succeeded are taken',
    flaw: storeWith((apply, op, store) =>
      apply(op.op === 'append' ? { ...op, epoch: store.look(op.runId)?.epoch ?? op.epoch } : op),
    ),
    found:
      /StepCompleted for|StepScheduled for|StepReassigned for|after RunEnded|CancelRequested|for step|for approval/,
  },
  {
    name: 'a run parks over unread rows: the wake-up is lost',
    flaw: storeWith((apply, op, store) => {
      const result = apply(op);
      if (op.op !== 'append' || !op.park || result.result !== 'appended' || result.inbox.length === 0) return result;
      store.sleep(op.runId, op.wakeAt);
      return { ...result, inbox: [], parked: true };
    }),
    found: /has unread rows and sleeps|has not ended and has no wake time/,
  },
  {
    name: 'a row that arrives wakes nobody',
    flaw: { store: () => new Leaky(undefined, false) },
    found: /has unread rows and sleeps/,
  },
  {
    name: 'the append id is not looked up',
    flaw: storeWith((apply, op, store) => apply(op.op === 'append' ? { ...op, appendId: store.freshId() } : op)),
    found: /StepCompleted for|StepScheduled for|StepReassigned for|after RunEnded|ExecutionStopped for|for step/,
  },
  {
    name: 'events are handed out without the last one',
    flaw: storeWith((apply, op) => {
      const result = apply(op);
      return result.result === 'acquired' && result.events.length > 2
        ? { ...result, events: result.events.slice(0, -1) }
        : result;
    }),
    found: /for step|StepScheduled|after RunEnded|RunEnded|a turn threw/,
  },
  { name: 'agents do not join by key', flaw: { habits: { joins: false } }, found: /and again at/ },
  {
    name: 'agents forget what was acknowledged',
    flaw: { habits: { remembers: false } },
    found: /after its outcome was on record|and again at/,
  },
  {
    name: 'agents start work after its time',
    flaw: { habits: { keepsTime: false } },
    found: /after its outcome was on record/,
  },
  {
    name: 'an effect comes before its row',
    flaw: { habits: { rowFirst: false } },
    found: /happened before its row/,
  },
  {
    name: 'an act is not claimed',
    flaw: { habits: { claims: false } },
    found: /ran again, and nobody can tell what it did/,
  },
  {
    name: 'an act is done blindly, by force',
    flaw: { habits: { probes: false, expects: false } },
    found: /happened \d times/,
  },
  {
    name: 'an approval is checked too early: not with the claim of the effect',
    flaw: { habits: { showsConsent: false } },
    found: /without the consent of/,
  },
  {
    name: 'a refused claim is not heeded',
    flaw: { habits: { heedsRefusal: false } },
    found: /happened before its row/,
  },
];
