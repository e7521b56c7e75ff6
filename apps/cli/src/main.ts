import { createInterface } from 'node:readline/promises';
import type { WriteStream } from 'node:tty';
import { CLONE } from './clone.js';
import type { CliContext, Output } from './context.js';
import { EXIT } from './context.js';
import { runCli } from './program.js';
import { locateHome } from './supervisor/home.js';

/** A stream as commands see it. `NO_COLOR` (no-color.org) and `TERM=dumb` win over a terminal, `FORCE_COLOR` over both. */
function output(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Output {
  const terminal = stream.isTTY && env['TERM'] !== 'dumb' && (env['CI'] ?? '') === '';
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  const tty: Partial<WriteStream> = stream;
  return {
    write: (text) => {
      stream.write(text);
    },
    terminal,
    color: (env['NO_COLOR'] ?? '') === '' && (forced || (stream.isTTY && env['TERM'] !== 'dumb')),
    get columns() {
      // Where nobody looks, nothing is cut; a terminal that doesn't know its size says 0.
      return Math.max(20, tty.columns || (stream.isTTY ? 80 : 400));
    },
    get rows() {
      return Math.max(2, tty.rows || 24);
    },
  };
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function confirm(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await lines.question(question, { signal: interrupt.signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

const interrupt = new AbortController();
process.on('SIGINT', () => {
  // The second one does not wait for anything.
  if (interrupt.signal.aborted) process.exit(EXIT.cancelled);
  interrupt.abort();
});
// One that another command started for a part of its work ends with that, however it went.
if (process.channel) {
  process.once('disconnect', () => process.exit(EXIT.cancelled));
  process.channel.unref();
}
// Whoever reads the output went away: `devmesh runs | head -1`.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.passed : EXIT.failed),
  );
}
process.on('exit', () => {
  // A cursor that was hidden comes back, whatever happened.
  if (process.stdout.isTTY) process.stdout.write('\u001b[?25h');
});

const cleanUps: (() => Promise<void>)[] = [];
const context: CliContext = {
  home: locateHome(process.env, CLONE),
  env: process.env,
  cwd: process.cwd(),
  self: './devmesh',
  out: output(process.stdout, process.env),
  err: output(process.stderr, process.env),
  readStdin,
  confirm,
  atEnd: (cleanUp) => cleanUps.push(cleanUp),
  interrupted: interrupt.signal,
};

process.exitCode = await runCli(context, process.argv.slice(2));
await Promise.allSettled(cleanUps.map((cleanUp) => cleanUp()));
// Whoever pressed Ctrl-C does not wait for what is still open.
if (interrupt.signal.aborted) process.exit();
