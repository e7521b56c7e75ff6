import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** A definition, addressed by the SHA-256 of its canonical JSON. Never changed; runs pin it. */
@Entity('workflows')
@Check('workflows_digest_check', `digest ~ '^[0-9a-f]{64}$'`)
export class WorkflowEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'workflows_pkey' })
  digest!: string;

  @Column('text')
  name!: string;

  @Column('json')
  definition!: WorkflowDefinition;

  @Column('timestamp with time zone', { name: 'created_at', precision: 3 })
  createdAt!: Date;
}
