import type { Outcome } from '@devmesh/contracts/outcome';
import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What agents said of an execution: that it lives (heartbeats), and for `once` actions the claim and the outcome. */
@Entity('executions')
@Index('executions_run_id_idx', ['runId'])
@Check('executions_claim_check', `claim IN ('none', 'granted', 'lapsed')`)
@Check('executions_outcome_check', `outcome IS NULL OR claim <> 'none'`)
export class ExecutionEntity {
  /** The execution key `run/step/iteration/attempt`. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'executions_pkey' })
  key!: string;

  @Column('uuid', { name: 'run_id' })
  runId!: string;

  /** Who vouches for it, or holds the claim. */
  @Column('text')
  instance!: string;

  @Column('timestamp with time zone', { name: 'lease_until', precision: 3 })
  leaseUntil!: Date;

  /** How the holder got the claim: `lapsed` when it took it over and must find out what was done. */
  @Column('text', { default: 'none' })
  claim!: 'none' | 'granted' | 'lapsed';

  @Column('json', { nullable: true })
  outcome!: Outcome | null;

  @Column('text', { nullable: true })
  progress!: string | null;
}
