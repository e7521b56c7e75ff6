import type { InboxRow } from '@devmesh/contracts/event';
import type { Input } from '@devmesh/workflow/advance';

export interface Drained {
  readonly inputs: readonly Input[];
  /** Ids of the inbox rows among them. */
  readonly rows: readonly string[];
}

/** What a turn has learnt and not yet taken in. A row is taken once, however often the state service answers it. */
export class Mailbox {
  private inputs: Input[] = [];
  private rows: string[] = [];
  private readonly seen = new Set<string>();
  private failure: { readonly error: unknown } | undefined;
  private wake: (() => void) | undefined;

  put(input: Input): void {
    this.inputs.push(input);
    this.wake?.();
  }

  putRows(rows: readonly InboxRow[]): void {
    for (const row of rows) {
      if (this.seen.has(row.id)) continue;
      this.seen.add(row.id);
      this.rows.push(row.id);
      this.put(row.message);
    }
  }

  /** Nothing more will come of what was asked: the next arrival rejects with this. */
  fail(error: unknown): void {
    this.failure = { error };
    this.wake?.();
  }

  get isEmpty(): boolean {
    return this.inputs.length === 0;
  }

  drain(): Drained {
    const drained = { inputs: this.inputs, rows: this.rows };
    this.inputs = [];
    this.rows = [];
    return drained;
  }

  /** Resolves when something is there; rejects after a failure. One caller at a time. */
  async arrival(): Promise<void> {
    if (this.isEmpty && !this.failure) {
      await new Promise<void>((resolve) => {
        this.wake = () => {
          this.wake = undefined;
          resolve();
        };
      });
    }
    if (this.failure) throw this.failure.error;
  }
}
