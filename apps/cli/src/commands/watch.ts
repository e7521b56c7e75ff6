import { DevmeshError } from '@devmesh/contracts/errors';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { showError } from '../errors.js';
import type { MeshApi } from '../gateway/mesh-api.js';
import { LiveBlock } from '../output/live.js';
import {
  changeLines,
  headline,
  resultLines,
  sentBackLine,
  shortId,
  stepLines,
  type HandedOver,
} from '../output/run-lines.js';
import { theme } from '../output/theme.js';
import { followRun } from '../run/follow.js';
import { handOver } from '../run/hand-over.js';

export interface WatchOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Say at the end how the mesh is stopped. */
  readonly stopHint?: boolean;
}

/** The exit code that a run's state stands for; null while it is running. */
export function exitCodeOfRun(run: Pick<RunView, 'status' | 'verdict'>): ExitCode | null {
  if (run.status === 'stuck') return EXIT.needsPerson;
  switch (run.verdict) {
    case 'passed':
      return EXIT.passed;
    case 'partial':
    case 'rejected':
    case 'failed':
      return EXIT.failed;
    case 'cancelled':
      return EXIT.cancelled;
    case null:
      return null;
  }
}

const FRAME_MS = 100;

/** Draws a run until it ends: a tree in place on a terminal, elsewhere a line for each change. Null when it was detached from. */
async function draw(context: CliContext, api: MeshApi, created: RunView, talk: boolean): Promise<RunView | null> {
  const { out, self, interrupted } = context;
  const paint = theme(out.color);
  const options = (): { columns: number; color: boolean; now: number } => ({
    columns: out.columns,
    color: out.color,
    now: Date.now(),
  });
  if (!talk) return followRun(api, created, { signal: interrupted, seen: () => {} });

  out.write(`${headline(created, options())}\n`);
  for (const { step, because } of created.plan ?? []) out.write(`  ${paint.dim(`${step}: ${because}`)}\n`);
  if (!out.terminal) {
    let before: RunView | null = null;
    return followRun(api, created, {
      signal: interrupted,
      seen: (run) => {
        for (const line of changeLines(before, run, options())) out.write(`${line}\n`);
        before = run;
      },
      sentBack: (event) => out.write(`${sentBackLine(created, event, options())}\n`),
    });
  }
  const block = new LiveBlock(out);
  let frame = 0;
  let seen: { run: RunView; progress: ReadonlyMap<string, string> } = { run: created, progress: new Map() };
  const redraw = (footer: boolean): void => {
    const lines = stepLines(seen.run.steps, { ...options(), progress: seen.progress, frame });
    block.draw(
      footer
        ? [...lines, paint.dim(`  Ctrl-C leaves; the run goes on (${self} show ${shortId(created.id)} --follow)`)]
        : lines,
    );
  };
  const timer = setInterval(() => {
    frame++;
    redraw(true);
  }, FRAME_MS);
  try {
    return await followRun(api, created, {
      signal: interrupted,
      seen: (run, progress) => {
        seen = { run, progress };
        redraw(true);
      },
    });
  } finally {
    clearInterval(timer);
    redraw(false);
    block.keep();
  }
}

/** Follows a run to its end, brings its result home and says what came of it. */
export async function watchRun(
  context: CliContext,
  api: MeshApi,
  created: RunView,
  options: WatchOptions,
): Promise<ExitCode> {
  const { out, err, self, home } = context;
  const json = options.json === true;
  const talk = !json && options.quiet !== true;
  const paint = theme(out.color);
  const last = await draw(context, api, created, talk);
  const id = shortId(created.id);
  if (last === null) {
    // On stderr: whoever reads the output of a run that was left gets nothing half.
    const dim = theme(err.color).dim;
    err.write(
      `left; the run goes on\n  ${dim('follow')}  ${self} show ${id} --follow\n  ${dim('cancel')}  ${self} cancel ${id}\n`,
    );
    return EXIT.cancelled;
  }
  let delivered: HandedOver | null = null;
  let problem: Error | null = null;
  if (last.status === 'ended') {
    try {
      delivered = await handOver(home, api, last, context.env);
    } catch (error) {
      problem = error instanceof Error ? error : new Error(String(error));
    }
  }
  const code = exitCodeOfRun(last) ?? EXIT.failed;
  const exitCode: ExitCode = problem === null ? code : EXIT.failed;
  if (json) out.write(`${JSON.stringify({ run: last, exitCode, delivered })}\n`);
  else {
    if (talk) out.write('\n');
    out.write(
      `${resultLines(last, delivered, self, { columns: out.columns, color: out.color, now: Date.now() }).join('\n')}\n`,
    );
    if (talk && options.stopHint === true) {
      const look = [
        ...(last.result === null ? [] : [`${self} diff ${id}`]),
        `${self} show ${id}`,
        `${self} events ${id}`,
      ].join(paint.dim(' · '));
      out.write(
        `\n  ${paint.dim('look'.padEnd(9))} ${look}\n  ${paint.dim('stop'.padEnd(9))} ${self} down ${paint.dim('(the mesh stays up)')}\n`,
      );
    }
  }
  if (problem !== null) {
    showError(
      context,
      problem instanceof DevmeshError
        ? problem
        : new DevmeshError(
            'internal',
            `the run's result could not be brought home: ${problem.message}; try again with ${self} show ${id} --fetch`,
            { cause: problem },
          ),
      false,
    );
  }
  return exitCode;
}
