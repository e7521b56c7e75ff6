import type { RunId } from '@devmesh/contracts/ids';
import type { TurnPorts } from '@devmesh/engine/ports';
import { takeTurn, type Acquired, type TurnOptions } from '@devmesh/engine/turn';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import { withoutWorkContext, withWorkContext } from '@devmesh/service-kit/context/request-context';
import { withinEngineSpan, runSpan } from '@devmesh/service-kit/tracing/engine-context';
import { recordQueueSpan } from '@devmesh/service-kit/tracing/engine-span';

/** Room for the first turn of a run that is about to be created. It is taken or released. */
export interface TurnPlace {
  /** Takes the turn; it outlives the request that asks for it, and is not held to that one's deadline. */
  take(runId: RunId, acquired: Acquired): void;
  release(): void;
}

/**
 * Takes turns, at most one of a run at a time in this process. A job for a run that is in a turn needs none of its own: the turn
 * hears of everything new before it parks.
 */
export class TurnRunner {
  private readonly inTurn = new Map<RunId, Promise<void>>();
  private reserved = 0;

  constructor(
    private readonly ports: TurnPorts,
    private readonly options: TurnOptions,
    private readonly logger: Logger,
  ) {}

  get count(): number {
    return this.inTurn.size;
  }

  /** Never rejects: a turn that throws is counted against its run, and the run is looked at again later. */
  async take(runId: RunId, acquired?: Acquired): Promise<void> {
    if (this.inTurn.has(runId)) return;
    const turn = this.turn(runId, acquired).finally(() => this.inTurn.delete(runId));
    this.inTurn.set(runId, turn);
    await turn;
  }

  /** Takes the turn that a job asks for, which was on the queue since `addedAt`, Unix ms. */
  async takeQueued(runId: RunId, addedAt: number): Promise<void> {
    if (this.inTurn.has(runId)) return;
    recordQueueSpan({ runId, startedAt: addedAt, endedAt: Math.max(addedAt, Date.now()) });
    await this.take(runId);
  }

  /** Takes the turn here and now, when there is room among `atOnce`; false when there is none. */
  takeNow(runId: RunId, atOnce: number): boolean {
    if (!this.hasRoom(atOnce) || this.inTurn.has(runId)) return false;
    withoutWorkContext(() => void this.take(runId));
    return true;
  }

  /** Keeps room for a turn, when there is some among `atOnce`. */
  reserve(atOnce: number): TurnPlace | undefined {
    if (!this.hasRoom(atOnce)) return undefined;
    this.reserved++;
    let isKept = true;
    const release = (): void => {
      if (isKept) this.reserved--;
      isKept = false;
    };
    return {
      release,
      take: (runId, acquired) => {
        release();
        withoutWorkContext(() => void this.take(runId, acquired));
      },
    };
  }

  private hasRoom(atOnce: number): boolean {
    return this.inTurn.size + this.reserved < atOnce;
  }

  /** Resolves when no turn is under way. */
  async settled(): Promise<void> {
    while (this.inTurn.size > 0) await Promise.all(this.inTurn.values());
  }

  private async turn(runId: RunId, acquired: Acquired | undefined): Promise<void> {
    try {
      const end = await withWorkContext({ runId }, () =>
        withinEngineSpan(
          () => runSpan(runId),
          () => takeTurn(this.ports, runId, this.options, acquired),
        ),
      );
      if (end === 'superseded') this.logger.info('the run has a later owner; its turn here is over', { runId });
      if (end === 'unknown_run') this.logger.warn('a job names a run that is not there', { runId });
    } catch (error) {
      await this.failed(runId, error);
    }
  }

  private async failed(runId: RunId, error: unknown): Promise<void> {
    const text = error instanceof Error ? error.message : String(error);
    this.logger.error('a turn failed', { runId, error });
    try {
      await this.ports.state.turnFailed(runId, null, text.slice(0, 4000));
    } catch (reportError) {
      // The wake time stands, so the run comes round again all the same.
      this.logger.warn('a failed turn could not be counted', { runId, error: reportError });
    }
  }
}
