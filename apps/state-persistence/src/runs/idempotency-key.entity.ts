import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The run that a project's idempotency key made, and the SHA-256 of the request that asked for it. */
@Entity('idempotency_keys')
export class IdempotencyKeyEntity {
  @PrimaryColumn('text', { name: 'project_id', primaryKeyConstraintName: 'idempotency_keys_pkey' })
  projectId!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_keys_pkey' })
  key!: string;

  @Column('text', { name: 'request_hash' })
  requestHash!: string;

  @Column('uuid', { name: 'run_id' })
  runId!: string;

  @Column('timestamp with time zone', { name: 'created_at', precision: 3 })
  createdAt!: Date;
}
