import type { ExecutionKey } from '@devmesh/contracts/ids';
import { LRUCache } from 'lru-cache';
import type { Execution } from './execution.js';

/**
 * What this process knows of keys: executions under way, answers not yet acknowledged, and keys that were cancelled. Joining
 * by key is this: a key that is found is never executed again.
 */
export abstract class ExecutionRegistry {
  abstract find(key: ExecutionKey): Execution | undefined;
  abstract add(execution: Execution): void;
  /** It has ended: its answer is kept, within bounds. */
  abstract keep(execution: Execution): void;
  abstract forget(key: ExecutionKey): void;
  abstract bar(key: ExecutionKey): void;
  abstract isBarred(key: ExecutionKey): boolean;
}

/** Bytes of kept outputs, their number, and how long one is kept: longer than a run that nobody drives may wait. */
const KEPT_BYTES = 16 * 1024 ** 2;
const KEPT_ANSWERS = 20_000;
const KEPT_MS = 24 * 60 * 60_000;
const TOMBSTONES = 50_000;

/** The registry of every agent. */
export class JoiningRegistry extends ExecutionRegistry {
  readonly #underWay = new Map<ExecutionKey, Execution>();
  readonly #answers = new LRUCache<ExecutionKey, Execution>({
    max: KEPT_ANSWERS,
    maxSize: KEPT_BYTES,
    ttl: KEPT_MS,
    sizeCalculation: (execution) => 1000 + JSON.stringify(execution.outcome ?? null).length,
  });
  readonly #barred = new LRUCache<ExecutionKey, true>({ max: TOMBSTONES, ttl: KEPT_MS });

  find(key: ExecutionKey): Execution | undefined {
    return this.#underWay.get(key) ?? this.#answers.get(key);
  }

  add(execution: Execution): void {
    this.#underWay.set(execution.key, execution);
  }

  keep(execution: Execution): void {
    this.#underWay.delete(execution.key);
    this.#answers.set(execution.key, execution);
  }

  forget(key: ExecutionKey): void {
    this.#underWay.delete(key);
    this.#answers.delete(key);
  }

  bar(key: ExecutionKey): void {
    this.#barred.set(key, true);
  }

  isBarred(key: ExecutionKey): boolean {
    return this.#barred.has(key);
  }
}
