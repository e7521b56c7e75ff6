import type { ApprovalKind, ApprovalStatus } from '@devmesh/contracts/approval';
import type { JsonObject } from '@devmesh/contracts/json';
import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A decision asked of a person, and what they said. Outlives the detail of its run. */
@Entity('approvals')
@Index('approvals_run_id_idx', ['runId'])
@Index('approvals_open_idx', ['projectId', 'requestedAt', 'id'], { where: `status = 'open'` })
@Index('approvals_project_id_idx', ['projectId', 'requestedAt', 'id'])
@Check('approvals_kind_check', `kind IN ('consent', 'lost')`)
@Check('approvals_status_check', `status IN ('open', 'approved', 'rejected', 'expired', 'closed')`)
@Check('approvals_decided_check', `(status IN ('approved', 'rejected')) = (decided_by IS NOT NULL)`)
export class ApprovalEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'approvals_pkey' })
  id!: string;

  @Column('uuid', { name: 'run_id' })
  runId!: string;

  @Column('text', { name: 'project_id' })
  projectId!: string;

  @Column('text')
  step!: string;

  @Column('integer')
  iteration!: number;

  @Column('text')
  kind!: ApprovalKind;

  @Column('text')
  title!: string;

  @Column('json')
  subject!: JsonObject;

  @Column('text')
  hash!: string;

  @Column('text', { default: 'open' })
  status!: ApprovalStatus;

  @Column('timestamp with time zone', { name: 'requested_at', precision: 3 })
  requestedAt!: Date;

  @Column('timestamp with time zone', { name: 'expires_at', precision: 3 })
  expiresAt!: Date;

  @Column('json', { name: 'escalate_to' })
  escalateTo!: string[];

  @Column('timestamp with time zone', { name: 'escalated_at', precision: 3, nullable: true })
  escalatedAt!: Date | null;

  @Column('timestamp with time zone', { name: 'decided_at', precision: 3, nullable: true })
  decidedAt!: Date | null;

  @Column('text', { name: 'decided_by', nullable: true })
  decidedBy!: string | null;

  @Column('text', { nullable: true })
  comment!: string | null;
}
