import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { padEnd } from '../output/text.js';
import { theme } from '../output/theme.js';
import { start, upLine } from './mesh.js';

export interface UpOptions {
  readonly portBase?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export async function up(context: CliContext, options: UpOptions): Promise<ExitCode> {
  const { out, self, home } = context;
  const talk = options.json !== true && options.quiet !== true;
  const { status, fresh } = await start(context, { portBase: options.portBase, show: talk });
  if (options.json === true) out.write(`${JSON.stringify({ fresh, mesh: status })}\n`);
  if (!talk) return EXIT.passed;
  const paint = theme(out.color);
  const row = (name: string, text: string): string => `  ${paint.dim(padEnd(name, 9))} ${text}\n`;
  out.write(`${upLine(status, fresh, out.color)}${fresh ? '' : paint.dim(' · it was up already')}\n`);
  out.write(
    row('try', `${self} run`) +
      row('API', `${status.gateway}/docs ${paint.dim(`(key in ${home.apiKeyFile})`)}`) +
      row('stop', `${self} down`),
  );
  return EXIT.passed;
}
