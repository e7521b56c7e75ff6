import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The places that runs of one workflow share in a project: how many are held, and how many there are. */
@Entity('run_slots')
@Check('run_slots_held_check', `held >= 0`)
export class RunSlotEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'run_slots_pkey' })
  slot!: string;

  @Column('integer')
  held!: number;

  @Column('integer')
  bound!: number;
}
