import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { duration, plain, table } from '../output/text.js';
import { theme } from '../output/theme.js';
import { connect } from './mesh.js';

export async function agents(context: CliContext, options: { readonly json?: boolean }): Promise<ExitCode> {
  const { out } = context;
  const { api } = await connect(context);
  const list = await api.agents();
  if (options.json === true) {
    out.write(`${JSON.stringify({ agents: list.items })}\n`);
    return EXIT.passed;
  }
  const paint = theme(out.color);
  const now = Date.now();
  const blocks = list.items.map(({ agent, instances }) => {
    const actions = [...new Map(instances.flatMap((one) => one.actions).map((action) => [action.id, action])).values()];
    const places = instances.map(
      ({ healthy, address, version, startedAt }) =>
        `  ${healthy ? paint.good('●') : paint.bad('○')} ${address} ${paint.dim(`version ${version}, up ${duration(now - startedAt)}`)}`,
    );
    const rows = table(
      ['', '', ''],
      actions.map(({ id, title, isDefault, effects }) => [
        `    ${id}`,
        isDefault ? 'default' : effects === 'once' ? 'acts once' : '',
        plain(title),
      ]),
      out.columns,
    ).slice(1);
    return [
      paint.strong(agent),
      ...(places.length === 0 ? [`  ${paint.warn('◌ no instance is there')}`] : places),
      ...rows,
    ].join('\n');
  });
  out.write(`${blocks.join('\n\n')}\n`);
  return EXIT.passed;
}

export async function workflows(context: CliContext, options: { readonly json?: boolean }): Promise<ExitCode> {
  const { out, self } = context;
  const { api } = await connect(context);
  const list = await api.workflows();
  if (options.json === true) {
    out.write(`${JSON.stringify({ workflows: list.items })}\n`);
    return EXIT.passed;
  }
  const paint = theme(out.color);
  const blocks = list.items.map(({ name, version, description, steps }) => {
    const rows = table(
      ['', '', ''],
      steps.map(({ id, action, needs }) => [
        `    ${id}`,
        paint.dim(action),
        needs.length === 0 ? '' : paint.dim(`after ${needs.join(', ')}`),
      ]),
      out.columns,
    ).slice(1);
    return [
      `${paint.strong(name)} ${paint.dim(`version ${version}`)}`,
      ...(description === '' ? [] : [`  ${plain(description)}`]),
      ...rows,
    ].join('\n');
  });
  out.write(`${blocks.join('\n\n')}\n\n${paint.dim(`${self} run --workflow NAME`)}\n`);
  return EXIT.passed;
}
