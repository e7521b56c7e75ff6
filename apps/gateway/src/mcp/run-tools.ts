import { CancelBody, CreateRun, RunList, RunListQuery, RunView, RunViewQuery } from '@devmesh/contracts/gateway-api';
import { RunId } from '@devmesh/contracts/ids';
import { z } from 'zod';
import { idempotencyKey } from '../runs/request-hash.js';
import type { RunsService } from '../runs/runs.service.js';
import { reportLinks } from './resources.js';
import type { RunWait } from './run-wait.js';
import { tool, type Tool } from './tool.js';

/** Longest wait of one call, seconds. Clients give a call about a minute unless they are told otherwise. */
const MAX_WAIT_SECONDS = 300;
const WAIT_SECONDS = 45;

const OfRun = z.object({ runId: RunId });

/** Submit, watch and end runs. */
export function runTools(runs: RunsService, wait: RunWait): Tool[] {
  const links = (view: RunView) => reportLinks(view);
  return [
    tool({
      name: 'submit_run',
      title: 'Submit a run',
      description:
        'Starts a run: a task in plain words, a repository (a URL that the mesh can clone), or both. Without a workflow one is planned from the task; ' +
        '"review" finds problems, "deliver" also mends what is safe to mend. Answers at once: go on with wait_for_run.',
      input: CreateRun.extend({
        idempotencyKey: z
          .string()
          .optional()
          .describe('1 to 255 visible characters: the same submit with the same key starts no second run'),
      }),
      output: RunView,
      hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
      answer: ({ idempotencyKey: key, ...body }, { caller, signal }) =>
        runs.create(caller, body, idempotencyKey(key), signal),
      links,
    }),
    tool({
      name: 'wait_for_run',
      title: 'Wait for a run',
      description:
        'Waits until a run has ended, asks a person for an approval, or the time is over, and answers with the run as it is then: ' +
        'look at status and verdict, and call it again while the run is under way.',
      input: OfRun.extend({
        seconds: z.number().int().min(0).max(MAX_WAIT_SECONDS).default(WAIT_SECONDS).describe('longest wait'),
      }),
      output: RunView,
      hints: { readOnlyHint: true },
      answer: ({ runId, seconds }, work) => wait.until(runId, seconds * 1000, work),
      links,
    }),
    tool({
      name: 'get_run',
      title: 'Show a run',
      description:
        'A run as it is now, or as it was after one of its events: steps, verdict, findings by severity, cost.',
      input: OfRun.extend(RunViewQuery.shape),
      output: RunView,
      hints: { readOnlyHint: true },
      answer: ({ runId, at }, { caller }) => runs.view(caller, runId, at),
      links,
    }),
    tool({
      name: 'list_runs',
      title: 'List runs',
      description: 'The runs of the project, the newest first, page by page.',
      input: RunListQuery,
      output: RunList,
      hints: { readOnlyHint: true },
      answer: (query, { caller }) => runs.list(caller, query),
    }),
    tool({
      name: 'cancel_run',
      title: 'Cancel a run',
      description: 'Ends a run that is under way. What its steps have finished is kept; it cannot be resumed.',
      input: OfRun.extend(CancelBody.shape),
      output: RunView,
      hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
      answer: ({ runId, reason }, { caller }) => runs.cancel(caller, runId, reason),
    }),
  ];
}
