import { DevmeshError } from '@devmesh/contracts/errors';
import type { RunId } from '@devmesh/contracts/ids';
import type { Caller } from '../api-keys/caller.js';
import type { ArtifactsService } from '../artifacts/artifacts.service.js';
import type { RunsService } from '../runs/runs.service.js';

/** The artifacts of a run that people read, by the member of its view that has their digest. */
export const REPORTS = {
  report: { file: 'report.md', title: 'Report of a run', mimeType: 'text/markdown' },
  sarif: { file: 'findings.sarif', title: 'Findings of a run, as SARIF 2.1.0', mimeType: 'application/sarif+json' },
} as const;
export type ReportName = keyof typeof REPORTS;

/** Largest text that is handed to an assistant, bytes. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const SUGGESTED = 50;

/** The texts that runs leave behind. */
export class RunReports {
  constructor(
    private readonly runs: Pick<RunsService, 'list' | 'view'>,
    private readonly artifacts: Pick<ArtifactsService, 'text'>,
  ) {}

  /** Throws `not_found` while there is none, and `payload_too_large` for one that is better downloaded. */
  async read(caller: Caller, runId: RunId, name: ReportName, signal: AbortSignal): Promise<string> {
    const view = await this.runs.view(caller, runId);
    const digest = view[name];
    if (digest === null) {
      const why = view.status === 'ended' ? 'and it has ended' : 'yet: wait until it has ended';
      throw new DevmeshError('not_found', `run ${runId} has no ${REPORTS[name].file} ${why}`);
    }
    return this.artifacts.text(caller, digest, runId, MAX_TEXT_BYTES, signal);
  }

  /** Ids of recent runs that begin so. */
  async suggest(caller: Caller, beginning: string): Promise<RunId[]> {
    const { items } = await this.runs.list(caller, { limit: SUGGESTED });
    return items.map(({ id }) => id).filter((id) => id.startsWith(beginning));
  }
}
