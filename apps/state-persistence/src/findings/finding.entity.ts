import type { FindingClass, Severity } from '@devmesh/contracts/finding';
import type { FindingFate } from '@devmesh/contracts/finding-fate';
import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What became of a finding of a project's repository (by its origin). Outlives the runs that found it. */
@Entity('findings')
@Check('findings_fate_check', `fate IN ('open', 'accepted', 'fixed', 'suppressed', 'confirmed', 'rejected')`)
@Check('findings_judged_check', `(fate IN ('confirmed', 'rejected')) = (judged_by IS NOT NULL)`)
@Index('findings_last_run_id_idx', ['projectId', 'repository', 'lastRunId'])
export class FindingEntity {
  @PrimaryColumn('text', { name: 'project_id', primaryKeyConstraintName: 'findings_pkey' })
  projectId!: string;

  /** SHA-256 of the origin. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'findings_pkey' })
  repository!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'findings_pkey' })
  fingerprint!: string;

  @Column('text')
  rule!: string;

  @Column('text')
  class!: FindingClass;

  @Column('text')
  severity!: Severity;

  @Column('text')
  path!: string;

  @Column('text')
  fate!: FindingFate;

  @Column('timestamp with time zone', { precision: 3 })
  since!: Date;

  @Column('uuid', { name: 'first_run_id' })
  firstRunId!: string;

  @Column('uuid', { name: 'last_run_id' })
  lastRunId!: string;

  @Column('text', { name: 'last_commit' })
  lastCommit!: string;

  @Column('text', { name: 'judged_by', nullable: true })
  judgedBy!: string | null;

  @Column('text', { nullable: true })
  reason!: string | null;
}
