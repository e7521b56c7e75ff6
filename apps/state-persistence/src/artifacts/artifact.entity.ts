import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An artifact that is whole in the store, under its SHA-256. `size` in bytes. */
@Entity('artifacts')
@Index('artifacts_collect_at_idx', ['collectAt', 'digest'], { where: 'collect_at IS NOT NULL' })
@Check('artifacts_digest_check', `digest ~ '^[0-9a-f]{64}$'`)
export class ArtifactEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'artifacts_pkey' })
  digest!: string;

  @Column('bigint')
  size!: string;

  @Column('timestamp with time zone', { name: 'created_at', precision: 3 })
  createdAt!: Date;

  /**
   * From when on it is looked at whether anything refers to it, and if not, it is removed. Set by an upload, by whoever asks whether
   * it is there, and when a run lets go of it; null once something was found to refer to it.
   */
  @Column('timestamp with time zone', { name: 'collect_at', precision: 3, nullable: true })
  collectAt!: Date | null;
}
