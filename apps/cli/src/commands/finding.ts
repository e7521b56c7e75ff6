import { DevmeshError } from '@devmesh/contracts/errors';
import type { FindingRecord } from '@devmesh/contracts/finding-fate';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import type { MeshApi } from '../gateway/mesh-api.js';
import { plain, plural, table } from '../output/text.js';
import { theme } from '../output/theme.js';
import { connect } from './mesh.js';
import { resolveRun } from './runs.js';

export interface FindingOptions {
  readonly reason?: string;
  readonly json?: boolean;
}

const SHORT = 12;

/** Lists the findings of a run's repository and what became of them, or says of one that it is right, or false. */
export async function finding(
  context: CliContext,
  verb: string,
  run: string,
  fingerprint: string | undefined,
  options: FindingOptions,
): Promise<ExitCode> {
  const { api } = await connect(context);
  const runId = await resolveRun(api, run);
  if (verb === 'list') return list(context, api, runId, options);
  const verdict = verb === 'reject' ? 'rejected' : 'confirmed';
  const reason = options.reason?.trim() ?? '';
  if (fingerprint === undefined)
    throw new DevmeshError('invalid_request', `say which finding: ${context.self} finding list ${run} shows them`);
  if (reason === '' && verdict === 'rejected')
    throw new DevmeshError('invalid_request', 'say why it is false: --reason "…"');
  const known = resolveFinding(await api.findings(runId), fingerprint, context.self, run);
  const judged = await api.judgeFinding(runId, known.fingerprint, { verdict, reason: reason || 'it is right' });
  if (options.json === true) context.out.write(`${JSON.stringify({ finding: judged })}\n`);
  else
    context.out.write(
      `${theme(context.out.color).good('✔')} ${judged.rule} in ${plain(judged.path)}: ${verdict}${verdict === 'rejected' ? '; it is not told again there' : ''}\n`,
    );
  return EXIT.passed;
}

async function list({ out }: CliContext, api: MeshApi, runId: string, { json }: FindingOptions): Promise<ExitCode> {
  const items = await api.findings(runId);
  if (json === true) {
    out.write(`${JSON.stringify({ findings: items })}\n`);
    return EXIT.passed;
  }
  if (items.length === 0) {
    out.write('no findings of this run are on record\n');
    return EXIT.passed;
  }
  const rows = items.map((one) => [
    one.fingerprint.slice(0, SHORT),
    one.fate,
    one.severity,
    one.rule,
    `${plain(one.path)}${one.reason === null ? '' : ` (${plain(one.judgedBy ?? '')}: ${plain(one.reason)})`}`,
  ]);
  const lines = table(['FINDING', 'FATE', 'SEVERITY', 'RULE', 'WHERE'], rows, out.columns);
  out.write(`${lines.join('\n')}\n${plural(items.length, 'finding')}\n`);
  return EXIT.passed;
}

/** The finding that a user means, by at least 6 characters of the beginning of its fingerprint. */
export function resolveFinding(
  items: readonly FindingRecord[],
  given: string,
  self: string,
  run: string,
): FindingRecord {
  const asked = given.toLowerCase().trim();
  if (!/^[0-9a-f]{6,64}$/.test(asked))
    throw new DevmeshError('invalid_request', `"${given}" is no fingerprint: ${self} finding list ${run} shows them`);
  const [only, second] = items.filter(({ fingerprint }) => fingerprint.startsWith(asked));
  if (only === undefined)
    throw new DevmeshError(
      'not_found',
      `no finding of this run begins with ${given}: ${self} finding list ${run} shows them`,
    );
  if (second !== undefined)
    throw new DevmeshError('invalid_request', `${given} may be several findings: give more of it`);
  return only;
}
