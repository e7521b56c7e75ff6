import { DevmeshError } from '@devmesh/contracts/errors';
import type { BatchOp, BatchResult } from '@devmesh/contracts/state-api';

export interface BatchLaneOptions {
  /** Sends a request body `{"ops":[…]}`; gives the results in the order of the ops. */
  readonly send: (body: string) => Promise<readonly BatchResult[]>;
  /** Most requests under way at once. */
  readonly lanes?: number;
  readonly maxOps?: number;
  /** Most bytes of ops in one request; a single op may be larger. */
  readonly maxBytes?: number;
  /** Runs the callback once what arrives in this round of the event loop has arrived. */
  readonly soon?: (callback: () => void) => void;
}

interface Waiting {
  readonly text: string;
  readonly resolve: (result: BatchResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit, the client's half: what arrives while requests are under way makes up the next one. Under load few large
 * requests travel, and an idle mesh waits for nobody.
 */
export class BatchLane {
  readonly #options: Required<BatchLaneOptions>;
  #queue: Waiting[] = [];
  #underWay = 0;
  #asked = false;

  constructor(options: BatchLaneOptions) {
    this.#options = { lanes: 2, maxOps: 256, maxBytes: 4 * 1024 ** 2, soon: setImmediate, ...options };
  }

  /** The result of this op; a refusal is a result. Throws when no answer came. */
  add(op: BatchOp): Promise<BatchResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ text: JSON.stringify(op), resolve, reject });
      this.#flushSoon();
    });
  }

  #flushSoon(): void {
    if (this.#asked || this.#underWay >= this.#options.lanes) return;
    this.#asked = true;
    this.#options.soon(() => {
      this.#asked = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#queue.length > 0 && this.#underWay < this.#options.lanes) {
      const batch = this.#take();
      this.#underWay += 1;
      void this.#send(batch).finally(() => {
        this.#underWay -= 1;
        this.#flushSoonIfWaiting();
      });
    }
  }

  #flushSoonIfWaiting(): void {
    if (this.#queue.length > 0) this.#flushSoon();
  }

  #take(): Waiting[] {
    const { maxOps, maxBytes } = this.#options;
    let bytes = 0;
    let count = 0;
    for (const item of this.#queue) {
      bytes += item.text.length;
      if (count > 0 && (count >= maxOps || bytes > maxBytes)) break;
      count += 1;
    }
    const batch = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    return batch;
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.#options.send(`{"ops":[${batch.map((item) => item.text).join(',')}]}`);
      batch.forEach((item, place) => {
        const result = results[place];
        if (result === undefined || results.length !== batch.length) {
          item.reject(
            new DevmeshError('bad_reply', `a batch of ${batch.length} was answered with ${results.length} results`),
          );
        } else item.resolve(result);
      });
    } catch (error) {
      // Refused as a whole, so one of them can't be read: alone, each gets its own answer and none fails for another.
      if (batch.length > 1 && error instanceof DevmeshError && error.status < 500 && !error.retryable) {
        for (const item of batch) await this.#send([item]);
      } else for (const item of batch) item.reject(error);
    }
  }
}
