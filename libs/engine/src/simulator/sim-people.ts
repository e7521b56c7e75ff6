import type { ApprovalVerdict } from '@devmesh/contracts/approval';
import type { RunId, UnixMs } from '@devmesh/contracts/ids';
import type { Network } from './network.js';
import type { StateStore } from './state-store.js';

/** What a person says to an approval, and how long they think, ms; null: nothing at all. Deterministic by run and title. */
export type PeopleScript = (asked: {
  readonly id: string;
  readonly runId: RunId;
  /** How long the verdict may take, ms. */
  readonly withinMs: number;
}) => { readonly verdict: ApprovalVerdict['verdict']; readonly takesMs: number } | null;

interface World {
  readonly network: Network;
  readonly store: StateStore;
  readonly witness: { accepted(approvalId: string, verdict: ApprovalVerdict['verdict']): void };
  readonly now: () => UnixMs;
}

/** The people of a simulated mesh: they see what is open, think, and say something, until they are answered. */
export class People {
  private readonly minds = new Map<
    string,
    { readonly at: UnixMs; readonly verdict: ApprovalVerdict; saying: boolean }
  >();
  private readonly silent = new Set<string>();

  constructor(
    private readonly script: PeopleScript,
    private readonly world: World,
  ) {}

  moves(note: (what: string) => void): (() => void)[] {
    const { store, now } = this.world;
    const open = store.ledger.open();
    if (open.length === 0) return [];
    const moves: (() => void)[] = [];
    for (const { id, runId, hash, expiresAt } of open) {
      if (this.silent.has(id)) continue;
      let mind = this.minds.get(id);
      if (!mind) {
        const said = this.script({ id, runId, withinMs: expiresAt - now() });
        if (said === null) {
          this.silent.add(id);
          continue;
        }
        mind = {
          at: now() + said.takesMs,
          verdict: { verdict: said.verdict, hash, by: 'ann', comment: '' },
          saying: false,
        };
        this.minds.set(id, mind);
      }
      const made = mind;
      if (made.saying || made.at > now()) continue;
      moves.push(() => {
        made.saying = true;
        note(`ann says ${made.verdict.verdict} to ${id.slice(0, 8)}`);
        this.say(id, made.verdict).catch(() => {
          made.saying = false;
        });
      });
    }
    return moves;
  }

  times(): UnixMs[] {
    return [...this.minds.values()].filter(({ saying }) => !saying).map(({ at }) => at);
  }

  private async say(id: string, verdict: ApprovalVerdict): Promise<void> {
    const { network, store, witness, now } = this.world;
    await network.call('ann', 'state', `verdict ${id.slice(0, 8)}`, () => {
      const answer = store.verdict(id, verdict, now());
      if (answer === 'accepted') witness.accepted(id, verdict.verdict);
      return answer;
    });
  }
}
