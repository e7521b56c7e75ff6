import type { JsonObject } from '@devmesh/contracts/json';
import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What reached the world outside, or may have: claimed before the act. Outlives the detail of its run. */
@Entity('effects')
@Index('effects_run_id_idx', ['runId'])
@Check('effects_status_check', `status IN ('claimed', 'done', 'not_done', 'unknown')`)
export class EffectEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'effects_pkey' })
  key!: string;

  @Column('uuid', { name: 'run_id' })
  runId!: string;

  @Column('text')
  step!: string;

  @Column('text')
  kind!: string;

  @Column('text')
  name!: string;

  @Column('text')
  status!: string;

  /** What was to be true when the claim was made; of one that lapsed, what may have been done. */
  @Column('json')
  intent!: JsonObject;

  @Column('text', { name: 'intent_hash' })
  intentHash!: string;

  /** Of the last act that was done. */
  @Column('json', { nullable: true })
  result!: JsonObject | null;

  @Column('text')
  execution!: string;

  @Column('integer')
  iteration!: number;

  @Column('text')
  instance!: string;

  /** The claim was taken over from a holder that said nothing. */
  @Column('boolean')
  lapsed!: boolean;

  @Column('timestamp with time zone', { name: 'lease_until', precision: 3 })
  leaseUntil!: Date;

  @Column('uuid', { name: 'approval_id', nullable: true })
  approvalId!: string | null;

  @Column('integer')
  claims!: number;

  @Column('timestamp with time zone', { name: 'claimed_at', precision: 3 })
  claimedAt!: Date;

  @Column('timestamp with time zone', { name: 'updated_at', precision: 3 })
  updatedAt!: Date;
}
