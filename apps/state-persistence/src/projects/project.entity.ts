import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The tenant. The migration makes one, `default`. */
@Entity('projects')
export class ProjectEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'projects_pkey' })
  id!: string;

  @Column('text')
  name!: string;

  @Column('timestamp with time zone', { name: 'created_at', precision: 3 })
  createdAt!: Date;
}
