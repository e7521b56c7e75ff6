import type { RunEvent } from '@devmesh/contracts/event';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A fact about a run; never changed. `json`, not `jsonb`: kept as it was written, and NUL in a string is no error. */
@Entity('run_events')
export class RunEventEntity {
  @PrimaryColumn('uuid', { name: 'run_id', primaryKeyConstraintName: 'run_events_pkey' })
  runId!: string;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'run_events_pkey' })
  seq!: number;

  @Column('json')
  event!: RunEvent;
}
