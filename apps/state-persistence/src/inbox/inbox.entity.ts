import type { InboxMessage } from '@devmesh/contracts/event';
import { Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';

/**
 * What others told a run. Ids are given under the lock of the run's head, so within one run they are in order of
 * arrival; across runs they mean nothing, and nobody reads on from one.
 */
@Entity('inbox')
@Unique('inbox_run_id_dedupe_key_key', ['runId', 'dedupeKey'])
@Index('inbox_unread_idx', ['runId', 'id'], { where: 'NOT consumed' })
export class InboxEntity {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'inbox_pkey',
  })
  id!: string;

  @Column('uuid', { name: 'run_id' })
  runId!: string;

  @Column('text', { name: 'dedupe_key' })
  dedupeKey!: string;

  @Column('json')
  message!: InboxMessage;

  @Column('boolean', { default: false })
  consumed!: boolean;

  @Column('timestamp with time zone', { name: 'created_at', precision: 3 })
  createdAt!: Date;
}
