import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CliContext, ExitCode } from './context.js';

export type Action = () => Promise<ExitCode>;

/** Told which command was chosen; `json`: its errors go to stdout too. */
export type Chosen = (action: Action, json: boolean) => void;

/** What a file of commands is handed to add them. */
export interface CommandParts {
  readonly context: CliContext;
  readonly command: (name: string, summary: string) => Command;
  readonly chosen: Chosen;
  readonly examples: (...lines: readonly (readonly [string, string])[]) => string;
}

export const runArgument = 'a run: its id, at least 4 characters of its end, or "last"';

export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
    return value;
  };
}

const AGE = /^(\d{1,6})([smhdw])$/;
const AGE_UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** Milliseconds of `90m`, `12h`, `7d` or `2w`. */
export function age(text: string): number {
  const [, count, unit = ''] = AGE.exec(text) ?? [];
  const unitMs = AGE_UNIT_MS[unit];
  if (count === undefined || unitMs === undefined)
    throw new InvalidArgumentError('It is a whole number and a unit, such as 90m, 12h, 7d or 2w.');
  return Number(count) * unitMs;
}

export const jsonOption = (what: string): Option => new Option('--json', `print ${what} as JSON, and nothing else`);
