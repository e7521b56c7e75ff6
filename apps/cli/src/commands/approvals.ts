import type { ApprovalRecord } from '@devmesh/contracts/approval';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Json } from '@devmesh/contracts/json';
import type { MeshApi } from '../gateway/mesh-api.js';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { shortId } from '../output/run-lines.js';
import { cut, duration, padEnd, plain, table } from '../output/text.js';
import { theme } from '../output/theme.js';
import { connect } from './mesh.js';
import { resolveRun } from './runs.js';

export interface ApprovalsOptions {
  readonly run?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

export interface DecideOptions {
  readonly comment?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export async function approvals(context: CliContext, options: ApprovalsOptions): Promise<ExitCode> {
  const { out, self } = context;
  const { api } = await connect(context);
  const runId = options.run === undefined ? undefined : await resolveRun(api, options.run);
  const items = await api.approvals({
    ...(runId === undefined ? {} : { runId }),
    ...(options.all === true ? {} : { status: 'open' as const }),
  });
  if (options.json === true) {
    out.write(`${JSON.stringify({ approvals: items })}\n`);
    return EXIT.passed;
  }
  if (items.length === 0) {
    out.write(
      `nothing waits for a decision${options.all === true ? '' : `: ${self} approvals --all shows what was decided`}\n`,
    );
    return EXIT.passed;
  }
  const paint = theme(out.color);
  const now = Date.now();
  const [head = '', ...lines] = table(
    ['APPROVAL', 'STATE', 'RUN', 'STEP', 'TIME', 'ASKS'],
    items.map((one) => [
      shortId(one.id),
      stateText(one),
      shortId(one.runId),
      one.step,
      timeText(one, now),
      plain(one.title),
    ]),
    out.columns,
  );
  out.write(`${[paint.dim(head), ...lines].join('\n')}\n`);
  if (items.some(({ status }) => status === 'open'))
    out.write(`\n${paint.dim(`${self} approve APPROVAL · ${self} reject APPROVAL -m WHY`)}\n`);
  return EXIT.passed;
}

/** Shows what is asked, then decides on that very thing: its hash goes with the verdict. */
export async function decide(
  context: CliContext,
  verdict: 'approved' | 'rejected',
  given: string,
  options: DecideOptions,
): Promise<ExitCode> {
  const { out, self } = context;
  const { api } = await connect(context);
  const approval = await resolveApproval(api, given, self);
  const word = verdict === 'approved' ? 'approve' : 'reject';
  if (options.json !== true) out.write(`${approvalLines(approval, out.columns, out.color).join('\n')}\n\n`);
  if (options.yes !== true && approval.status === 'open') {
    if (!out.terminal || options.json === true)
      throw new DevmeshError('invalid_request', `nobody is here to be asked: say ${self} ${word} ${given} --yes`);
    if (!(await context.confirm(`${word[0]?.toUpperCase() ?? ''}${word.slice(1)}? [y/N] `))) {
      out.write('nothing was decided\n');
      return EXIT.cancelled;
    }
  }
  const decided = await api.decide(approval.id, { verdict, hash: approval.hash, comment: options.comment ?? '' });
  if (options.json === true) out.write(`${JSON.stringify({ approval: decided })}\n`);
  else
    out.write(
      `${theme(out.color).good('✔')} ${verdict}; the run goes on: ${self} show ${shortId(decided.runId)} --follow\n`,
    );
  return EXIT.passed;
}

/** The approval that a user means: its id, or at least 4 characters of its beginning or end; of open ones first. */
async function resolveApproval(api: MeshApi, given: string, self: string): Promise<ApprovalRecord> {
  const asked = given.toLowerCase().trim();
  if (!/^[0-9a-f-]{4,36}$/.test(asked))
    throw new DevmeshError('invalid_request', `"${given}" is no approval: ${self} approvals lists them`);
  const matching = (all: readonly ApprovalRecord[]) =>
    all.filter(({ id }) => id.startsWith(asked) || id.endsWith(asked));
  const open = matching(await api.approvals({ status: 'open' }));
  const found = open.length > 0 ? open : matching(await api.approvals({}));
  const [only, second] = found;
  if (only === undefined)
    throw new DevmeshError('not_found', `no approval is called ${given}: ${self} approvals lists them`);
  if (second !== undefined)
    throw new DevmeshError('invalid_request', `${given} may be ${only.id} or ${second.id}: give more of the id`);
  return only;
}

function stateText({ status, decidedBy, escalatedAt }: ApprovalRecord): string {
  if (status === 'open') return escalatedAt === null ? 'open' : 'open, escalated';
  return decidedBy === null ? status : `${status} by ${plain(decidedBy)}`;
}

function timeText({ status, expiresAt, requestedAt, decidedAt }: ApprovalRecord, now: number): string {
  if (status === 'open') return `${duration(Math.max(0, Date.parse(expiresAt) - now))} left`;
  return `${duration(now - Date.parse(decidedAt ?? requestedAt))} ago`;
}

/** What a verdict binds, for people. */
function approvalLines(approval: ApprovalRecord, columns: number, color: boolean): string[] {
  const paint = theme(color);
  const { subject } = approval;
  const lines = [paint.strong(plain(approval.title))];
  const row = (name: string, value: Json | undefined): void => {
    if (value === undefined || value === null) return;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    lines.push(`  ${paint.dim(padEnd(name, 10))} ${cut(plain(text), Math.max(20, columns * 4))}`);
  };
  row(
    'run',
    `${approval.runId} · step ${approval.step}${approval.iteration > 1 ? ` · round ${approval.iteration}` : ''}`,
  );
  row('task', subject['task'] === '' ? undefined : subject['task']);
  row('does', subject['action']);
  row('execution', subject['execution']);
  row('with', subject['input']);
  row('what', subject['message']);
  row('repository', subject['repository']);
  row('expires', approval.expiresAt);
  row('hash', approval.hash);
  return lines;
}
