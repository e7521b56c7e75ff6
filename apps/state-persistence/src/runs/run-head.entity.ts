import type { JsonObject } from '@devmesh/contracts/json';
import type { RunStatus, RunVerdict } from '@devmesh/contracts/run';
import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * Where a run stands: the row that every writer of the run locks first. It counts the unread inbox rows itself, because
 * a statement that waited for this lock sees the newest version of this row, but of other tables only what was there
 * when it began.
 */
@Entity('run_heads')
@Index('run_heads_due_idx', ['wakeAt', 'runId'], { where: 'wake_at IS NOT NULL' })
@Index('run_heads_unended_idx', ['runId'], { where: `status <> 'ended'` })
@Index('run_heads_queued_idx', ['slot', 'priority', 'runId'], { where: `status = 'queued'` })
@Index('run_heads_prunable_idx', ['endedAt', 'runId'], { where: 'ended_at IS NOT NULL AND pruned_at IS NULL' })
@Check('run_heads_status_check', `status IN ('queued', 'running', 'paused', 'stuck', 'ended')`)
@Check('run_heads_verdict_check', `verdict IN ('passed', 'partial', 'rejected', 'failed', 'cancelled')`)
@Check('run_heads_ended_check', `(status = 'ended') = (verdict IS NOT NULL)`)
@Check('run_heads_wake_check', `status = 'ended' OR wake_at IS NOT NULL OR epoch = 0`)
@Check('run_heads_unread_check', `unread >= 0`)
export class RunHeadEntity {
  @PrimaryColumn('uuid', { name: 'run_id', primaryKeyConstraintName: 'run_heads_pkey' })
  runId!: string;

  @Column('text', { default: 'running' })
  status!: RunStatus;

  @Column('text', { nullable: true })
  verdict!: RunVerdict | null;

  @Column('text', { nullable: true })
  reason!: string | null;

  /** Among due and queued runs the highest goes first. */
  @Column('integer', { default: 0 })
  priority!: number;

  /** Somebody asked for the run to be cancelled: from here on no verdict counts, and no effect is claimed. */
  @Column('boolean', { name: 'cancel_requested', default: false })
  cancelRequested!: boolean;

  /** The places that it shares with other runs; null when nothing bounds them. */
  @Column('text', { nullable: true })
  slot!: string | null;

  /** Whether it holds one of them. */
  @Column('boolean', { name: 'slot_held', default: false })
  slotHeld!: boolean;

  /** Raised by each acquire; an append with another one changes nothing. */
  @Column('integer', { default: 0 })
  epoch!: number;

  @Column('text', { nullable: true })
  owner!: string | null;

  /** Number of the run's last event. */
  @Column('integer', { name: 'last_seq' })
  lastSeq!: number;

  /** Inbox rows that no append has consumed. */
  @Column('integer', { default: 0 })
  unread!: number;

  /** Somebody has the run in hand and will see new inbox rows before `wake_at`, or is dead by then. */
  @Column('boolean', { name: 'in_turn', default: false })
  inTurn!: boolean;

  /** When somebody must look at the run. Null for ended runs, and for those that are held until their inbox gets a row. */
  @Column('timestamp with time zone', { name: 'wake_at', precision: 3, nullable: true })
  wakeAt!: Date | null;

  /** How often the run was handed out by the due poll. */
  @Column('integer', { name: 'lease_no', default: 0 })
  leaseNo!: number;

  @Column('integer', { name: 'turn_failures', default: 0 })
  turnFailures!: number;

  @Column('text', { name: 'last_turn_error', nullable: true })
  lastTurnError!: string | null;

  /** The state after event `checkpoint_seq`. */
  @Column('json', { nullable: true })
  checkpoint!: JsonObject | null;

  @Column('integer', { name: 'checkpoint_seq', nullable: true })
  checkpointSeq!: number | null;

  @Column('timestamp with time zone', { name: 'updated_at', precision: 3 })
  updatedAt!: Date;

  @Column('timestamp with time zone', { name: 'ended_at', precision: 3, nullable: true })
  endedAt!: Date | null;

  /** When its detail (events, inbox, appends, executions, checkpoint, list of artifacts) was removed. */
  @Column('timestamp with time zone', { name: 'pruned_at', precision: 3, nullable: true })
  prunedAt!: Date | null;
}
