import { mermaid } from '@devmesh/workflow/diagram';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { connect } from './mesh.js';
import { resolveRun } from './runs.js';

/** A workflow goes by its name; anything else is a run. */
export async function graph(
  context: CliContext,
  given: string,
  options: { readonly json?: boolean },
): Promise<ExitCode> {
  const { api } = await connect(context);
  const isWorkflow = (await api.workflows()).items.some(({ name }) => name === given);
  const drawn = isWorkflow ? await api.workflowGraph(given) : await api.runGraph(await resolveRun(api, given));
  context.out.write(options.json === true ? `${JSON.stringify({ graph: drawn })}\n` : mermaid(drawn));
  return EXIT.passed;
}
