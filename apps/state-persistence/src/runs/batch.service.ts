import type { DevmeshError } from '@devmesh/contracts/errors';
import type { BatchOp, BatchResult } from '@devmesh/contracts/state-api';
import { databaseError, sqlState } from '../database/database.js';
import { slotOf } from './batch.sql.js';
import { refused, type BatchRepository, type Written } from './batch.repository.js';
import type { RunSignals } from './run-signals.js';

export interface BatchServiceOptions {
  readonly repository: BatchRepository;
  readonly signals: RunSignals;
  /** Unix ms. */
  readonly now: () => number;
  readonly onEnded?: (verdict: string, durationMs: number) => void;
  /** Told of items that the database refused. */
  readonly onRefused?: (op: BatchOp, error: DevmeshError) => void;
}

/**
 * Group commit: everything that came in one request is written by one transaction. Ops that concern the same run (or the
 * same idempotency key, or append id) take effect in their order: later ones go into a further wave.
 */
export class BatchService {
  constructor(private readonly options: BatchServiceOptions) {}

  async run(ops: readonly BatchOp[]): Promise<BatchResult[]> {
    const results: BatchResult[] = [];
    for (const wave of waves(ops)) {
      const valid = wave.filter((i) => {
        const problem = invalid(at(ops, i));
        if (problem !== null) results[i] = refused('invalid_request', problem);
        return problem === null;
      });
      const written = await this.writeWave(valid.map((i) => at(ops, i)));
      valid.forEach((i, n) => {
        results[i] = written[n] ?? refused('internal', 'no answer');
      });
    }
    return results;
  }

  /**
   * A wave that fails changed nothing: each of its ops is then tried alone, so that only the poisonous one is refused. When
   * the database itself is away or full the whole request fails; whoever sends it again is answered from record.
   */
  private async writeWave(ops: readonly BatchOp[]): Promise<BatchResult[]> {
    if (ops.length === 0) return [];
    let written: Written[];
    try {
      written = await this.options.repository.writeWave(ops, this.options.now());
    } catch (error) {
      const problem = databaseError(error);
      if (problem.code === 'storage_full' || isAway(problem, error)) throw problem;
      if (ops.length === 1) {
        const [op] = ops;
        if (op !== undefined) this.options.onRefused?.(op, problem);
        return [refused(refusalCode(problem), problem.message)];
      }
      return this.oneByOne(ops);
    }
    const results: BatchResult[] = [];
    for (const [i, one] of written.entries()) {
      this.tell(at(ops, i), one);
      results.push(one.result ?? (await this.again(at(ops, i))));
    }
    return results;
  }

  private async oneByOne(ops: readonly BatchOp[]): Promise<BatchResult[]> {
    const results: BatchResult[] = [];
    for (const op of ops) results.push(...(await this.writeWave([op])));
    return results;
  }

  /** The append's double was being written when we looked; it is on record now. */
  private async again(op: BatchOp): Promise<BatchResult> {
    const [written] = await this.options.repository.writeWave([op], this.options.now());
    if (written !== undefined) this.tell(op, written);
    return written?.result ?? refused('unavailable', `append to run ${op.runId} is being written; send it again`);
  }

  private tell(op: BatchOp, written: Written): void {
    const { signals, onEnded } = this.options;
    if (written.wakeAt !== null) signals.dueAt(written.wakeAt);
    if (written.newEvents) signals.changed(op.runId);
    if (written.ended !== null) onEnded?.(written.ended.verdict, written.ended.durationMs);
  }
}

/**
 * Places of ops that may be written together, in the order in which the groups must be written. A run that has to wait for a place
 * and the end that frees one are never together: one statement does not see both, and the run would wait for ever.
 */
export function waves(ops: readonly BatchOp[]): number[][] {
  const next = new Map<string, number>();
  const result: number[][] = [];
  ops.forEach((op, i) => {
    const keys = [`run ${op.runId}`];
    if (op.op === 'create' && op.idempotency !== null) keys.push(`key ${op.projectId} ${op.idempotency.key}`);
    if (op.op === 'append') keys.push(`append ${op.appendId}`);
    const slot = op.op === 'create' ? slotOf(op) : null;
    if (slot !== null) keys.push(`slot ${slot}`);
    const frees = op.op === 'append' && op.ended !== null;
    const opposite = slot !== null ? 'frees' : frees ? 'takes' : null;
    const wave = Math.max(opposite === null ? 0 : (next.get(opposite) ?? 0), ...keys.map((key) => next.get(key) ?? 0));
    for (const key of keys) next.set(key, wave + 1);
    if (opposite !== null) {
      const own = frees ? 'frees' : 'takes';
      next.set(own, Math.max(next.get(own) ?? 0, wave + 1));
    }
    (result[wave] ??= []).push(i);
  });
  return result;
}

/** What the schema of the request can't say; null when the op is well-formed. */
function invalid(op: BatchOp): string | null {
  if (op.op === 'create' && op.events[0]?.type !== 'RunCreated') return 'the first event of a run is RunCreated';
  if (op.op === 'append') {
    const bad = op.consume.find((id) => !/^[1-9][0-9]{0,17}$/.test(id));
    if (bad !== undefined) return `"${bad.slice(0, 40)}" is not the id of an inbox row`;
  }
  return null;
}

/** Whether trying the items one by one is no use: the database is not there. Waiting too long for a lock is about one item. */
function isAway(problem: DevmeshError, error: unknown): boolean {
  return problem.code === 'unavailable' && !/^(55P03|40P01|40001|57014)$/.test(sqlState(error) ?? '');
}

function refusalCode(problem: DevmeshError): Extract<BatchResult, { result: 'refused' }>['code'] {
  return problem.code === 'invalid_request' || problem.code === 'unavailable' ? problem.code : 'internal';
}

function at<T>(list: readonly T[], i: number): T {
  const item = list[i];
  if (item === undefined) throw new RangeError(`no item ${i}`);
  return item;
}
