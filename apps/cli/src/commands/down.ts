import { DevmeshError } from '@devmesh/contracts/errors';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { plural } from '../output/text.js';
import { theme } from '../output/theme.js';
import { takeDown } from '../supervisor/launch.js';

export interface DownOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export async function down(context: CliContext, options: DownOptions): Promise<ExitCode> {
  const { out, home } = context;
  const result = await takeDown(home);
  if (options.json === true) out.write(`${JSON.stringify(result)}\n`);
  if (result.left.length > 0) {
    const who = result.left.map(({ name, pid }) => `${name} (process ${pid})`).join(', ');
    throw new DevmeshError('conflict', `these could not be ended: ${who}: end them as their owner with kill -9`);
  }
  if (options.json === true || options.quiet === true) return EXIT.passed;
  const paint = theme(out.color);
  const swept =
    result.swept.length === 0 ? '' : `, ${plural(result.swept.length, 'leftover process', 'leftover processes')} ended`;
  out.write(
    result.wasUp
      ? `${paint.good('✔')} the mesh is down; no process is left${swept}\n`
      : `${paint.good('✔')} the mesh was not up; no process is left${swept}\n`,
  );
  return EXIT.passed;
}
