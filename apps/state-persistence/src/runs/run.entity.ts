import type { Digest } from '@devmesh/contracts/ids';
import type { RunRepository } from '@devmesh/contracts/run';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * What was submitted; written once. Where the run stands is in `run_heads`, so that the row that every append rewrites
 * stays small. No foreign keys on the engine's path: the create looks its project and workflow up in its own statement.
 */
@Entity('runs')
@Index('runs_project_id_idx', ['projectId', 'id'])
// A GIN index, which the schema builder does not know.
@Index('runs_bundles_idx', { synchronize: false })
export class RunEntity {
  /** UUIDv7: ids sort by time of creation. */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'runs_pkey' })
  id!: string;

  @Column('text', { name: 'project_id' })
  projectId!: string;

  @Column('text', { name: 'workflow_digest' })
  workflowDigest!: string;

  @Column('text', { name: 'workflow_name' })
  workflowName!: string;

  @Column('text')
  task!: string;

  @Column('json', { nullable: true })
  repository!: RunRepository | null;

  /** The bundles of the repository that the run refers to, as an array of digests; null without one, and once it is pruned. */
  @Column('jsonb', { nullable: true })
  bundles!: readonly Digest[] | null;

  @Column('timestamp with time zone', { name: 'created_at', precision: 3 })
  createdAt!: Date;
}
