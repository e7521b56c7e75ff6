import { DevmeshError, type ErrorCode } from '@devmesh/contracts/errors';
import type { CliContext, ExitCode } from './context.js';
import { EXIT } from './context.js';
import { theme } from './output/theme.js';

/** Codes that say: what you asked for can't be asked for. */
const USAGE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid_request',
  'invalid_workflow',
  'invalid_input',
  'invalid_repository',
  'unknown_action',
  'payload_too_large',
  'unsupported_media_type',
  'not_found',
  'gone',
  'clone_failed',
]);

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof DevmeshError && USAGE.has(error.code) ? EXIT.usage : EXIT.failed;
}

interface ShownError {
  readonly code: string;
  readonly message: string;
  readonly errors: readonly { readonly pointer: string; readonly message: string }[];
}

function describe(error: unknown): ShownError {
  if (error instanceof DevmeshError) return { code: error.code, message: error.message, errors: error.issues };
  const { code, message } = error as NodeJS.ErrnoException;
  return {
    code: 'internal',
    message: `${error instanceof Error ? message : String(error)}${code === undefined || message.includes(code) ? '' : ` (${code})`}; this is a fault of Devmesh: set DEVMESH_DEBUG=1 and try again to see where`,
    errors: [],
  };
}

/** One clear line on stderr, and with `--json` the same as data on stdout. Never a stack, unless DEVMESH_DEBUG is 1. */
export function showError(context: CliContext, error: unknown, json: boolean): void {
  const shown = describe(error);
  const paint = theme(context.err.color);
  if (json) context.out.write(`${JSON.stringify({ error: shown })}\n`);
  const [first = '', ...rest] = shown.message.split('\n');
  context.err.write(
    `${paint.bad('devmesh:')} ${first}${rest.map((line) => `\n  ${line}`).join('')} ${paint.dim(`[${shown.code}]`)}\n`,
  );
  // The message already names the first few fields.
  for (const issue of shown.errors.slice(5)) context.err.write(`  ${issue.pointer || '/'}: ${issue.message}\n`);
  if (context.env['DEVMESH_DEBUG'] === '1' && error instanceof Error) context.err.write(`${error.stack ?? ''}\n`);
}
