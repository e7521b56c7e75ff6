import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An execution that counts no longer: it may claim nothing more. */
@Entity('barred_executions')
@Index('barred_executions_run_id_idx', ['runId'])
export class BarredExecutionEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'barred_executions_pkey' })
  key!: string;

  @Column('uuid', { name: 'run_id' })
  runId!: string;
}
