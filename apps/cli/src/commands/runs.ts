import { DevmeshError } from '@devmesh/contracts/errors';
import type { RunListItem } from '@devmesh/contracts/run';
import type { MeshApi } from '../gateway/mesh-api.js';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { shortId, verdictText } from '../output/run-lines.js';
import { duration, plain, table } from '../output/text.js';
import { theme } from '../output/theme.js';
import { connect } from './mesh.js';

const SEARCHED = 1000;

/** The run that a user means: its id, the beginning or end of one (at least 4 characters), or `last`. */
export async function resolveRun(api: MeshApi, given: string): Promise<string> {
  const asked = given.toLowerCase().trim();
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(asked)) return asked;
  if (asked !== 'last' && !/^[0-9a-f-]{4,36}$/.test(asked)) {
    throw new DevmeshError(
      'invalid_request',
      `"${given}" is not a run: give its id, at least 4 characters of its end, or "last"; ./devmesh runs lists them`,
    );
  }
  const runs = await api.runs(asked === 'last' ? 1 : SEARCHED);
  const matches =
    asked === 'last' ? runs.slice(0, 1) : runs.filter(({ id }) => id.endsWith(asked) || id.startsWith(asked));
  const [only, second] = matches;
  if (only === undefined)
    throw new DevmeshError(
      'not_found',
      asked === 'last'
        ? 'there is no run yet: start one with ./devmesh run'
        : `no run is called ${given}: ./devmesh runs lists them`,
    );
  if (second !== undefined)
    throw new DevmeshError(
      'invalid_request',
      `${given} may be ${matches
        .slice(0, 3)
        .map(({ id }) => id)
        .join(' or ')}: give more of the id`,
    );
  return only.id;
}

export interface RunsOptions {
  readonly limit: number;
  readonly json?: boolean;
}

export async function runs(context: CliContext, options: RunsOptions): Promise<ExitCode> {
  const { out, self } = context;
  const { api } = await connect(context);
  const items = await api.runs(options.limit);
  if (options.json === true) {
    out.write(`${JSON.stringify({ runs: items })}\n`);
    return EXIT.passed;
  }
  if (items.length === 0) {
    out.write(`no runs yet: ${self} run starts one\n`);
    return EXIT.passed;
  }
  const paint = theme(out.color);
  const now = Date.now();
  const took = (item: RunListItem): string =>
    duration((item.endedAt === null ? now : Date.parse(item.endedAt)) - Date.parse(item.createdAt));
  const [head = '', ...lines] = table(
    ['RUN', 'STATE', 'WORKFLOW', 'TOOK', 'STARTED', 'TASK'],
    items.map((item) => [
      shortId(item.id),
      verdictText(item.verdict, item.status, out.color),
      item.workflow,
      took(item),
      `${duration(now - Date.parse(item.createdAt))} ago`,
      plain(item.task) || '-',
    ]),
    out.columns,
    [3],
  );
  out.write(`${[paint.dim(head), ...lines].join('\n')}\n`);
  return EXIT.passed;
}
