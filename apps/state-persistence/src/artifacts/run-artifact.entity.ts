import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

const pkey = 'run_artifacts_pkey';

/** An artifact that an output of a run names: the run refers to it until its detail is pruned. */
@Entity('run_artifacts')
@Index('run_artifacts_digest_idx', ['digest'])
export class RunArtifactEntity {
  @PrimaryColumn('uuid', { name: 'run_id', primaryKeyConstraintName: pkey })
  runId!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: pkey })
  step!: string;

  @PrimaryColumn('integer', { primaryKeyConstraintName: pkey })
  iteration!: number;

  @PrimaryColumn('text', { primaryKeyConstraintName: pkey })
  name!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: pkey })
  digest!: string;

  @Column('text', { name: 'media_type' })
  mediaType!: string;

  @Column('bigint')
  size!: string;
}
