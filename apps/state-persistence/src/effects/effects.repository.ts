import type { EffectClaim, EffectClaimReply, EffectRecord, EffectResult } from '@devmesh/contracts/effect';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import { instant, type Database } from '../database/database.js';

interface EffectRow {
  readonly key: string;
  readonly run_id: string;
  readonly step: string;
  readonly kind: string;
  readonly name: string;
  readonly status: EffectRecord['status'];
  readonly intent: JsonObject;
  readonly intent_hash: string;
  readonly result: JsonObject | null;
  readonly execution: string;
  readonly iteration: number;
  readonly instance: string;
  readonly lapsed: boolean;
  readonly lease_until: Date;
  readonly approval_id: string | null;
  readonly claims: number;
  readonly claimed_at: Date;
  readonly updated_at: Date;
}

type Refusal = Extract<EffectClaimReply, { claim: 'refused' }>;
type Run = <R extends object>(statement: {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}) => Promise<R[]>;

const WHY: Readonly<Record<Refusal['reason'], string>> = {
  unknown_run: 'there is no such run',
  run_ended: 'its run has ended',
  run_cancelled: 'its run is being cancelled',
  superseded: 'its execution counts no longer: the step is done again, or its time ran out',
  approval_missing: 'the approval that it names was not given',
  approval_changed: 'what was approved is something else',
  approval_expired: 'the approval is out of time; ask again',
};

/** The effect ledger. A claim is a transaction of a few statements: it locks the run's row, and looks only then. */
export class EffectsRepository {
  constructor(private readonly db: Database) {}

  claim(claim: EffectClaim, now: number): Promise<EffectClaimReply> {
    const { key, execution, instance, intentHash, leaseMs } = claim;
    return this.db.transaction(async (run) => {
      const refusal = await this.refusal(run, claim, now);
      if (refusal !== null) return { claim: 'refused', reason: refusal, message: `${key}: ${WHY[refusal]}` };
      const [row] = await run<EffectRow>({
        name: 'lock-effect',
        text: 'select * from effects where key = $1::text for update',
        values: [key],
      });
      if (row === undefined) {
        await this.take(run, claim, now, null, false);
        return { claim: 'granted', previous: null };
      }
      if (parseExecutionKey(execution).iteration < row.iteration)
        return { claim: 'refused', reason: 'superseded', message: `${key}: ${WHY.superseded}` };
      const previous = row.result;
      if (row.status === 'done' && row.intent_hash === intentHash) return { claim: 'done', result: previous ?? {} };
      if (row.status === 'done' || row.status === 'not_done') {
        await this.take(run, claim, now, row, false);
        return { claim: 'granted', previous };
      }
      const mine = row.status === 'claimed' && row.execution === execution && row.instance === instance;
      // Its answer was lost.
      if (mine) {
        await run({
          name: 'keep-effect',
          text: 'update effects set lease_until = $2::timestamptz where key = $1::text',
          values: [key, instant(now + leaseMs)],
        });
        return row.lapsed ? { claim: 'lapsed', intent: row.intent, previous } : { claim: 'granted', previous };
      }
      const left = row.lease_until.getTime() - now;
      if (row.status === 'claimed' && left > 0) return { claim: 'held', retryAfterMs: left };
      await this.take(run, claim, now, row, true);
      return { claim: 'lapsed', intent: row.intent, previous };
    });
  }

  private async refusal(run: Run, claim: EffectClaim, now: number): Promise<Refusal['reason'] | null> {
    const { execution, approval } = claim;
    const [head] = await run<{ status: string; cancel_requested: boolean }>({
      name: 'lock-run',
      text: 'select status, cancel_requested from run_heads where run_id = $1::uuid for update',
      values: [claim.key.slice(0, 36)],
    });
    if (head === undefined) return 'unknown_run';
    if (head.status === 'ended') return 'run_ended';
    // What a run that is being cancelled did is still taken back.
    if (head.cancel_requested && !parseExecutionKey(execution).step.endsWith('.undo')) return 'run_cancelled';
    const [facts] = await run<{ barred: boolean; status: string | null; hash: string | null; expires_at: Date | null }>(
      {
        name: 'effect-facts',
        text: `select exists (select from barred_executions b where b.key = $1::text) as barred, a.status, a.hash, a.expires_at
        from (values (1)) one left join approvals a on a.id = $2::uuid and a.run_id = $3::uuid`,
        values: [execution, approval?.id ?? null, claim.key.slice(0, 36)],
      },
    );
    if (facts?.barred !== false) return 'superseded';
    if (approval === null) return null;
    if (facts.status !== 'approved') return 'approval_missing';
    if (facts.hash !== approval.hash) return 'approval_changed';
    return (facts.expires_at?.getTime() ?? 0) <= now ? 'approval_expired' : null;
  }

  /** Makes the claim the caller's. One that lapsed keeps the intent that may have been acted on. */
  private async take(
    run: Run,
    claim: EffectClaim,
    now: number,
    before: EffectRow | null,
    lapsed: boolean,
  ): Promise<void> {
    const { key, execution, instance, leaseMs, approval } = claim;
    const [runId = '', step = '', kind = '', ...name] = key.split('/');
    const kept = lapsed ? before : null;
    await run({
      name: 'take-effect',
      text: `insert into effects as e (key, run_id, step, kind, name, status, intent, intent_hash, execution, iteration, instance,
          lapsed, lease_until, approval_id, claims, claimed_at, updated_at)
        values ($1::text, $2::uuid, $3::text, $4::text, $5::text, 'claimed', $6::json, $7::text, $8::text, $9::int, $10::text,
          $11::boolean, $12::timestamptz, $13::uuid, 1, $14::timestamptz, $14::timestamptz)
        on conflict (key) do update set status = 'claimed', intent = excluded.intent, intent_hash = excluded.intent_hash,
          execution = excluded.execution, iteration = excluded.iteration, instance = excluded.instance,
          lapsed = excluded.lapsed, lease_until = excluded.lease_until, approval_id = excluded.approval_id,
          claims = e.claims + 1, claimed_at = excluded.claimed_at, updated_at = excluded.updated_at`,
      values: [
        key,
        runId,
        step,
        kind,
        name.join('/'),
        JSON.stringify(kept?.intent ?? claim.intent),
        kept?.intent_hash ?? claim.intentHash,
        execution,
        parseExecutionKey(execution).iteration,
        instance,
        lapsed,
        instant(now + leaseMs),
        approval?.id ?? null,
        instant(now),
      ],
    });
  }

  /** Puts on record what came of a claim; false when it is another's. What is on record stays. */
  async record({ key, execution, instance, outcome, result }: EffectResult, now: number): Promise<boolean> {
    const rows = await this.db.write<{ key: string }>({
      name: 'record-effect',
      text: `update effects set
          status = case when status = 'claimed' then $4::text else status end,
          result = case when status = 'claimed' and $4::text = 'done' then $5::json else result end,
          updated_at = $6::timestamptz
        where key = $1::text and execution = $2::text and instance = $3::text returning key`,
      values: [key, execution, instance, outcome, JSON.stringify(result), instant(now)],
    });
    return rows.length > 0;
  }

  async list(runId: string): Promise<EffectRecord[]> {
    const rows = await this.db.read<EffectRow>({
      name: 'list-effects',
      text: 'select * from effects where run_id = $1::uuid order by claimed_at, key',
      values: [runId],
    });
    return rows.map((row) => ({
      key: row.key,
      runId: row.run_id,
      step: row.step,
      kind: row.kind,
      name: row.name,
      status: row.status,
      intent: row.intent,
      result: row.result,
      execution: row.execution,
      approvalId: row.approval_id,
      claims: row.claims,
      claimedAt: row.claimed_at.toISOString(),
      updatedAt: row.updated_at.toISOString(),
    }));
  }
}
