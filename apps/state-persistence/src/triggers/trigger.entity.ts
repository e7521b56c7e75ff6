import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/** What starts runs by itself. A schedule is due at `next_at`; whoever handles an occurrence holds it by `lease_until`. */
@Entity('triggers')
@Unique('triggers_project_id_name_key', ['projectId', 'name'])
@Check('triggers_kind_check', `kind IN ('schedule', 'webhook')`)
@Check('triggers_secret_check', `(kind = 'webhook') = (secret IS NOT NULL)`)
@Index('triggers_next_at_idx', ['nextAt'], { where: 'enabled AND next_at IS NOT NULL' })
export class TriggerEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'triggers_pkey' })
  id!: string;

  @Column('text', { name: 'project_id' })
  projectId!: string;

  @Column('text')
  name!: string;

  @Column('text')
  kind!: string;

  @Column('json')
  on!: object;

  @Column('json')
  run!: object;

  @Column('boolean')
  enabled!: boolean;

  @Column('text', { nullable: true })
  secret!: string | null;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamp with time zone', { name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column('timestamp with time zone', { name: 'next_at', precision: 3, nullable: true })
  nextAt!: Date | null;

  @Column('timestamp with time zone', { name: 'lease_until', precision: 3, nullable: true })
  leaseUntil!: Date | null;

  @Column('timestamp with time zone', { name: 'last_fired_at', precision: 3, nullable: true })
  lastFiredAt!: Date | null;

  @Column('uuid', { name: 'last_run_id', nullable: true })
  lastRunId!: string | null;

  @Column('text', { name: 'last_error', nullable: true })
  lastError!: string | null;
}

/** A delivery of a webhook whose run is not on record yet, or is: then it keeps a second one from starting another. */
@Entity('trigger_firings')
@Check('trigger_firings_status_check', `status IN ('pending', 'started', 'failed')`)
@Index('trigger_firings_pending_idx', ['leaseUntil'], { where: `status = 'pending'` })
export class TriggerFiringEntity {
  @PrimaryColumn('uuid', { name: 'trigger_id', primaryKeyConstraintName: 'trigger_firings_pkey' })
  triggerId!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'trigger_firings_pkey' })
  key!: string;

  @Column('json')
  run!: object;

  @Column('text', { default: 'pending' })
  status!: string;

  @Column('timestamp with time zone', { name: 'lease_until', precision: 3 })
  leaseUntil!: Date;

  @Column('uuid', { name: 'run_id', nullable: true })
  runId!: string | null;

  @Column('timestamp with time zone', { name: 'created_at', precision: 3 })
  createdAt!: Date;
}
