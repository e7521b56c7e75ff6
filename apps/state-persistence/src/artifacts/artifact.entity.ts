import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** An artifact that is whole in the store, under its SHA-256. `size` in bytes. */
@Entity('artifacts')
@Check('artifacts_digest_check', `digest ~ '^[0-9a-f]{64}$'`)
export class ArtifactEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'artifacts_pkey' })
  digest!: string;

  @Column('bigint')
  size!: string;

  @Column('timestamp with time zone', { name: 'created_at', precision: 3 })
  createdAt!: Date;
}
