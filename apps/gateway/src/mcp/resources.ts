import { parseOrThrow } from '@devmesh/contracts/errors';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { RunId } from '@devmesh/contracts/ids';
import { toDevmeshError } from '@devmesh/service-kit/errors/to-devmesh-error';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
  type McpServer,
  type ResourceLink,
} from '@modelcontextprotocol/server';
import { REPORTS, type ReportName, type RunReports } from './run-reports.js';
import { logRefusal, type Asker } from './tool.js';

const uriOf = (runId: string, name: ReportName): string => `devmesh://runs/${runId}/${REPORTS[name].file}`;
const NAMES = Object.keys(REPORTS) as ReportName[];

/** What a run left behind, as links that its view is answered with. */
export function reportLinks(view: RunView): ResourceLink[] {
  return NAMES.filter((name) => view[name] !== null).map((name) => ({
    type: 'resource_link',
    uri: uriOf(view.id, name),
    name: REPORTS[name].file,
    mimeType: REPORTS[name].mimeType,
  }));
}

/** `devmesh://runs/RUN/report.md` and `findings.sarif`. */
export function addResources(server: McpServer, reports: RunReports, { caller }: Asker, logger: Logger): void {
  for (const name of NAMES) {
    const { file, title, mimeType } = REPORTS[name];
    // Not listed: that would be a call for each run. Views have links to what is there.
    const template = new ResourceTemplate(uriOf('{runId}', name), {
      list: undefined,
      complete: { runId: (beginning) => reports.suggest(caller, beginning) },
    });
    server.registerResource(file, template, { title, mimeType }, async (uri, { runId }, { mcpReq }) => {
      try {
        const id = parseOrThrow(RunId, runId, 'the run of the address');
        return { contents: [{ uri: uri.href, mimeType, text: await reports.read(caller, id, name, mcpReq.signal) }] };
      } catch (thrown) {
        const error = toDevmeshError(thrown);
        logRefusal(logger, file, error);
        if (error.code === 'not_found') throw new ResourceNotFoundError(uri.href, error.message);
        const { InternalError, InvalidParams } = ProtocolErrorCode;
        throw new ProtocolError(error.status < 500 ? InvalidParams : InternalError, `${error.code}: ${error.message}`);
      }
    });
  }
}
