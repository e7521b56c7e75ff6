import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An append that was committed, with its answer, for an owner whose reply was lost. */
@Entity('appends')
@Index('appends_run_id_idx', ['runId'])
export class AppendEntity {
  @PrimaryColumn('uuid', { name: 'append_id', primaryKeyConstraintName: 'appends_pkey' })
  appendId!: string;

  @Column('uuid', { name: 'run_id' })
  runId!: string;

  @Column('integer', { name: 'last_seq' })
  lastSeq!: number;

  @Column('boolean')
  parked!: boolean;
}
