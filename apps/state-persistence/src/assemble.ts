import { randomUUID } from 'node:crypto';
import type { DevmeshError } from '@devmesh/contracts/errors';
import type { BatchOp } from '@devmesh/contracts/state-api';
import type { Database } from './database/database.js';
import { ApprovalsRepository } from './approvals/approvals.repository.js';
import { ApprovalsService } from './approvals/approvals.service.js';
import { DueRepository } from './due/due.repository.js';
import { DueService } from './due/due.service.js';
import { EffectsRepository } from './effects/effects.repository.js';
import { EffectsService } from './effects/effects.service.js';
import { ExecutionsRepository } from './executions/executions.repository.js';
import { ExecutionsService } from './executions/executions.service.js';
import { FindingsRepository } from './findings/findings.repository.js';
import { FindingsService } from './findings/findings.service.js';
import { ImportsRepository } from './imports/imports.repository.js';
import { ImportsService } from './imports/imports.service.js';
import { InboxRepository } from './inbox/inbox.repository.js';
import { InboxService } from './inbox/inbox.service.js';
import { ApiKeysRepository } from './projects/api-keys.repository.js';
import { ApiKeysService } from './projects/api-keys.service.js';
import { BatchRepository } from './runs/batch.repository.js';
import { BatchService } from './runs/batch.service.js';
import { RunSignals } from './runs/run-signals.js';
import { RunsRepository } from './runs/runs.repository.js';
import { RunsService } from './runs/runs.service.js';
import { TriggersRepository } from './triggers/triggers.repository.js';
import { TriggersService } from './triggers/triggers.service.js';
import { WorkflowsRepository } from './workflows/workflows.repository.js';
import { WorkflowsService } from './workflows/workflows.service.js';

export interface StateOptions {
  readonly db: Database;
  /**
   * The one clock of the service, Unix ms: every instant that is stored or compared comes from it, never from the
   * database, so that tests can turn it and a wake time means the same to writer and poller.
   */
  readonly now?: () => number;
  readonly onEnded?: (verdict: string, durationMs: number) => void;
  readonly onRefused?: (op: BatchOp, error: DevmeshError) => void;
}

export interface State {
  readonly signals: RunSignals;
  readonly batch: BatchService;
  readonly due: DueService;
  readonly inbox: InboxService;
  readonly executions: ExecutionsService;
  readonly runs: RunsService;
  readonly runsRepository: RunsRepository;
  readonly workflows: WorkflowsService;
  readonly apiKeys: ApiKeysService;
  readonly triggers: TriggersService;
  readonly approvals: ApprovalsService;
  readonly approvalsRepository: ApprovalsRepository;
  readonly effects: EffectsService;
  readonly imports: ImportsService;
  readonly findings: FindingsService;
}

/** The services over one database, wired up: what controllers and tests talk to. */
export function assemble({ db, now = Date.now, onEnded, onRefused }: StateOptions): State {
  const signals = new RunSignals(now);
  const executionsRepository = new ExecutionsRepository(db);
  const runsRepository = new RunsRepository(db);
  const approvalsRepository = new ApprovalsRepository(db);
  const hooks = { ...(onEnded && { onEnded }), ...(onRefused && { onRefused }) };
  return {
    signals,
    batch: new BatchService({ repository: new BatchRepository(db), signals, now, ...hooks }),
    due: new DueService({ repository: new DueRepository(db), signals, now }),
    inbox: new InboxService({ repository: new InboxRepository(db), signals, now }),
    executions: new ExecutionsService({ repository: executionsRepository, signals, now }),
    runs: new RunsService({ repository: runsRepository, executions: executionsRepository, signals, now }),
    runsRepository,
    workflows: new WorkflowsService(new WorkflowsRepository(db), now),
    apiKeys: new ApiKeysService({ repository: new ApiKeysRepository(db), now, newId: randomUUID }),
    approvals: new ApprovalsService({ repository: approvalsRepository, signals, now }),
    approvalsRepository,
    effects: new EffectsService(new EffectsRepository(db), now),
    imports: new ImportsService(new ImportsRepository(db)),
    findings: new FindingsService(new FindingsRepository(db), now),
    triggers: new TriggersService(new TriggersRepository(db), now),
  };
}
