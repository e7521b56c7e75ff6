import { parseDockerfile, type DockerInstruction, type Dockerfile } from '../parse/dockerfile.js';
import type { Span } from '../flow/ir.js';
import type { FileCheck } from './rule.js';

/** A check of instructions, as a check of a file. */
export const dockerCheck =
  (find: (dockerfile: Dockerfile) => readonly Span[]): FileCheck =>
  ({ text }) =>
    find(parseDockerfile(text)).map(({ start, end }) => ({ start, end }));

/** One command of a RUN: its words, without environment before it. */
export interface Command {
  readonly words: readonly string[];
  readonly text: string;
}

/** What RUN instructions execute. */
export function runsOf({
  instructions,
}: Dockerfile): { instruction: DockerInstruction; script: string; commands: Command[] }[] {
  return instructions
    .filter(({ keyword }) => keyword === 'RUN')
    .map((instruction) => {
      const script = [execForm(instruction.value), ...instruction.heredocs].join('\n');
      return { instruction, script, commands: commandsOf(script) };
    });
}

function execForm(value: string): string {
  const flagless = value.replace(/^(--\S+\s+)+/, '');
  return flagless.startsWith('[') ? flagless.replace(/^\[\s*"|"\s*\]\s*$/g, '').replace(/"\s*,\s*"/g, ' ') : flagless;
}

function commandsOf(script: string): Command[] {
  return script
    .split(/&&|\|\||[;\n|(){}]|\b(?:then|do|else)\b/)
    .map((part) => part.trim())
    .filter((part) => part !== '' && !part.startsWith('#'))
    .map((text) => {
      const words = text.split(/\s+/);
      while (
        words[0] !== undefined &&
        (/^[A-Za-z_]\w*=/.test(words[0]) || /^(if|while|until|!|sudo|exec|env|set|time|nice)$/.test(words[0]))
      )
        words.shift();
      return { words, text };
    });
}

/** The arguments of a sub-command that are no options: `a b` of `apt-get -y install a b`; undefined for another command. */
export function packagesOf(
  { words }: Command,
  program: RegExp,
  verb: RegExp,
  valued: RegExp = /^$/,
): string[] | undefined {
  if (words[0] === undefined || !program.test(words[0])) return undefined;
  const at = words.findIndex((word, i) => i > 0 && verb.test(word));
  if (at < 0) return undefined;
  const found: string[] = [];
  for (let i = at + 1; i < words.length; i += 1) {
    const word = words[i] ?? '';
    if (word.startsWith('-')) {
      if (valued.test(word)) i += 1;
    } else if (!/^[<>0-9]*[<>]/.test(word) && word !== '\\') found.push(word.replace(/^["']|["']$/g, ''));
  }
  return found;
}

export const hasOption = ({ words }: Command, option: RegExp): boolean => words.some((word) => option.test(word));
