import { DevmeshError } from '@devmesh/contracts/errors';
import type { CreateTrigger, TriggerView } from '@devmesh/contracts/trigger';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { shortId } from '../output/run-lines.js';
import { duration, plain, table } from '../output/text.js';
import { theme } from '../output/theme.js';
import { connect } from './mesh.js';
import { readWorkflow } from './run.js';

export interface TriggerOptions {
  readonly cron?: string;
  readonly timezone?: string;
  readonly webhook?: boolean;
  readonly event?: string[];
  readonly branch?: string[];
  readonly repo?: string;
  readonly ref?: string;
  readonly workflow?: string;
  readonly json?: boolean;
}

/** What the options say; refused when they say no trigger, or two. */
async function requested(
  context: CliContext,
  name: string,
  task: string,
  options: TriggerOptions,
): Promise<CreateTrigger> {
  const { cron, timezone, webhook, event, branch, repo, ref } = options;
  if ((cron === undefined) === (webhook !== true))
    throw new DevmeshError('invalid_request', 'say --cron for a schedule or --webhook for a webhook, one of them');
  if (repo === undefined && ref !== undefined)
    throw new DevmeshError('invalid_request', '--ref is of a repository: say --repo too');
  const workflow = await readWorkflow(context, options.workflow);
  return {
    name,
    on:
      cron === undefined
        ? { kind: 'webhook', events: event ?? [], branches: branch ?? [] }
        : { kind: 'schedule', cron, timezone: timezone ?? 'UTC' },
    run: {
      task,
      ...(workflow === undefined ? {} : { workflow }),
      ...(repo === undefined ? {} : { repository: { url: repo, ...(ref === undefined ? {} : { ref }) } }),
    },
  };
}

export async function triggers(
  context: CliContext,
  verb: string | undefined,
  name: string | undefined,
  task: string | undefined,
  options: TriggerOptions,
): Promise<ExitCode> {
  if (verb === undefined) return list(context, options);
  if (name === undefined)
    throw new DevmeshError('invalid_request', `say which trigger: ${context.self} triggers ${verb} NAME`);
  if (verb === 'add') return add(context, name, task ?? '', options);
  if (verb === 'remove') return remove(context, name, options);
  throw new DevmeshError('invalid_request', `triggers cannot ${verb}: it is add or remove, or nothing to list them`);
}

async function add(context: CliContext, name: string, task: string, options: TriggerOptions): Promise<ExitCode> {
  const { out } = context;
  const body = await requested(context, name, task, options);
  const { api, status } = await connect(context);
  const trigger = await api.createTrigger(body);
  if (options.json === true) {
    out.write(`${JSON.stringify({ trigger })}\n`);
    return EXIT.passed;
  }
  const paint = theme(out.color);
  out.write(`${paint.good('✔')} ${name}: ${firesText(trigger, Date.now())}\n`);
  if (trigger.path !== null)
    out.write(
      `  ${paint.dim('address')}  ${status.gateway}${trigger.path}\n  ${paint.dim('secret ')}  ${trigger.secret ?? ''} ${paint.dim('(shown this once)')}\n  ${paint.dim('content')}  application/json\n`,
    );
  return EXIT.passed;
}

async function remove(context: CliContext, name: string, options: TriggerOptions): Promise<ExitCode> {
  const { out } = context;
  const { api } = await connect(context);
  const known = await api.triggers();
  const found = known.find((trigger) => trigger.name === name);
  if (found === undefined)
    throw new DevmeshError(
      'not_found',
      `there is no trigger ${name}; there is ${known.map((trigger) => trigger.name).join(', ') || 'none'}`,
    );
  const trigger = await api.removeTrigger(found.id);
  if (options.json === true) out.write(`${JSON.stringify({ trigger })}\n`);
  else out.write(`${theme(out.color).good('✔')} ${name} was removed; what it started goes on\n`);
  return EXIT.passed;
}

async function list(context: CliContext, options: TriggerOptions): Promise<ExitCode> {
  const { out, self } = context;
  const { api } = await connect(context);
  const items = await api.triggers();
  if (options.json === true) {
    out.write(`${JSON.stringify({ triggers: items })}\n`);
    return EXIT.passed;
  }
  if (items.length === 0) {
    out.write(`no triggers yet: ${self} triggers add --help shows how\n`);
    return EXIT.passed;
  }
  const paint = theme(out.color);
  const now = Date.now();
  const [head = '', ...lines] = table(
    ['NAME', 'FIRES', 'LAST', 'RUNS'],
    items.map((trigger) => [
      trigger.name,
      firesText(trigger, now),
      lastText(trigger, now),
      plain([trigger.run.repository?.url, trigger.run.task].filter((part) => (part ?? '') !== '').join(' · ')) || '-',
    ]),
    out.columns,
  );
  out.write(`${[paint.dim(head), ...lines].join('\n')}\n`);
  return EXIT.passed;
}

function firesText({ on, enabled, nextAt }: TriggerView, now: number): string {
  if (!enabled) return 'switched off';
  if (on.kind === 'webhook') {
    const only = [...on.events, ...on.branches];
    return only.length === 0 ? 'on every delivery' : `on deliveries: ${only.join(', ')}`;
  }
  const next = nextAt === null ? 'never again' : `in ${duration(Math.max(0, Date.parse(nextAt) - now))}`;
  return `${on.cron} ${on.timezone}, ${next}`;
}

function lastText({ lastError, lastFiredAt, lastRunId }: TriggerView, now: number): string {
  if (lastError !== null) return plain(lastError);
  if (lastFiredAt === null || lastRunId === null) return '-';
  return `run ${shortId(lastRunId)}, ${duration(now - Date.parse(lastFiredAt))} ago`;
}
