import { Random } from '@devmesh/engine/simulator/random';
import type { MeshBox } from './mesh-box.js';
import type { Call, Fate, Phase } from './mesh-box-wire.js';

/** Where an orchestrator is killed: at a phase of a call of one of its ports. */
export interface KillPoint {
  readonly call: Call;
  readonly phase: Phase;
}

/** The point that costs most to get right: what was decided is on record, and whoever decided it does not know. */
const COMMITTED: KillPoint = { call: 'append', phase: 'answer' };
/** Of the kills, how many of ten are there. */
const COMMITTED_OF_TEN = 4;

/** Every other point of every port: what the turn, the poller, the queue and the submission say to the outside. */
const OTHERS: readonly KillPoint[] = [
  ...points(['append', 'park', 'acquire', 'execute'], ['request', 'answer', 'answered']),
  ...points(
    ['create', 'read-workflow', 'store-workflow', 'due', 'recover', 'queue-add', 'cancel', 'turn-failure'],
    ['request', 'answer'],
  ),
].filter((point) => !isSame(point, COMMITTED));

function points(calls: readonly Call[], phases: readonly Phase[]): KillPoint[] {
  return calls.flatMap((call) => phases.map((phase) => ({ call, phase })));
}

function isSame(a: KillPoint, b: KillPoint): boolean {
  return a.call === b.call && a.phase === b.phase;
}

/** A kill point that nothing passes by in this time is given up for the next one, ms. */
const PATIENCE_MS = 10_000;
/** Of calls that an orchestrator makes often, up to this many passages go by before the kill. */
const SPARED = 3;
const OFTEN: ReadonlySet<Call> = new Set(['append', 'park', 'acquire', 'execute', 'queue-add']);

export interface Kill extends KillPoint {
  /** Runs that had not ended. */
  readonly inFlight: number;
}

/** Kill points in the order of a seed: each of them before any comes again, with the committed appends in between. */
export function killPoints(seed: number, count: number): KillPoint[] {
  const random = new Random(seed);
  const order: KillPoint[] = [];
  let bag: KillPoint[] = [];
  for (let at = 0; at < count; at++) {
    if (at % 10 < COMMITTED_OF_TEN) {
      order.push(COMMITTED);
      continue;
    }
    if (bag.length === 0) bag = [...OTHERS];
    const [point = COMMITTED] = bag.splice(random.below(bag.length), 1);
    order.push(point);
  }
  // The committed ones in between, not all at the start of ten.
  for (let at = order.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [order[at], order[other]] = [order[other] ?? COMMITTED, order[at] ?? COMMITTED];
  }
  return order;
}

/**
 * Kills the orchestrator at the points of the seed, starts it again at once each time, and resolves with the kills that happened.
 * `before` is called before each one is armed.
 */
export async function killAgainAndAgain(
  box: MeshBox,
  options: {
    readonly orchestrator: string;
    readonly seed: number;
    readonly kills: number;
    readonly before?: () => void;
  },
): Promise<Kill[]> {
  const { orchestrator, seed, kills } = options;
  const random = new Random(seed + 1);
  const done: Kill[] = [];
  for (const point of killPoints(seed, kills)) {
    options.before?.();
    const happened = await killAt(box, orchestrator, point, OFTEN.has(point.call) ? random.below(SPARED) : 0);
    if (!happened) continue;
    const [row] = await box.query<{ count: string }>(`select count(*) from run_heads where status <> 'ended'`);
    done.push({ ...point, inFlight: Number(row?.count ?? 0) });
    await box.start(orchestrator);
  }
  return done;
}

/** Kills it at the point, after it was passed `spared` times. False when nothing came by there in time. */
async function killAt(box: MeshBox, orchestrator: string, point: KillPoint, spared: number): Promise<boolean> {
  let left = spared;
  let over = false;
  const decided = Promise.withResolvers<boolean>();
  const end = box.wire.watch(async ({ caller, calls, phase }): Promise<Fate> => {
    if (caller !== orchestrator || over) return undefined;
    // A turn throws, and is counted, when it can't read its workflow.
    if (point.call === 'turn-failure' && phase === 'request' && calls.has('read-workflow')) return 'break';
    if (phase !== point.phase || !calls.has(point.call) || left-- > 0) return undefined;
    over = true;
    await box.kill(orchestrator);
    decided.resolve(true);
    return 'break';
  });
  const patience = setTimeout(() => {
    if (!over) decided.resolve(false);
    over = true;
  }, PATIENCE_MS);
  try {
    return await decided.promise;
  } finally {
    clearTimeout(patience);
    end();
  }
}

/** How many kills were where, for people; and the share of those between an append and its answer. */
export function histogram(kills: readonly Kill[]): { readonly text: string; readonly committedShare: number } {
  const counts = new Map<string, number>();
  for (const { call, phase } of kills) counts.set(`${call} ${phase}`, (counts.get(`${call} ${phase}`) ?? 0) + 1);
  const lines = [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `  ${name.padEnd(24)} ${'#'.repeat(count)} ${count}`);
  const committed = kills.filter((kill) => isSame(kill, COMMITTED)).length;
  return { text: lines.join('\n'), committedShare: committed / Math.max(1, kills.length) };
}
