/** Why a documented command is not executed by the tests. */
export type Reason = 'needs the cloud' | 'takes long' | 'needs a machine of its own';

export interface DocumentedCommand {
  /** Line in the file, from 1. */
  readonly line: number;
  /** What a shell is given: without the prompt; a comment at its end stays. */
  readonly text: string;
  readonly marked: { readonly reason: Reason; readonly why: string } | null;
}

const MARK =
  /^<!-- not executed by the tests, (needs the cloud|takes long|needs a machine of its own)(?: \(([^)]+)\))?: (\S.*) -->$/;

/**
 * The blocks of commands in a document: fenced as `console`, each command after `$ `, its further lines after `> `. A comment before a block
 * marks its commands, or those that begin as it says in brackets: `<!-- not executed by the tests, takes long (./devmesh test): WHY -->`.
 */
export function consoleBlocks(text: string): DocumentedCommand[][] {
  const blocks: DocumentedCommand[][] = [];
  let marks: { reason: Reason; beginning: string; why: string }[] = [];
  let block: DocumentedCommand[] | undefined;
  let fence: string | undefined;
  for (const [at, untrimmed] of text.split('\n').entries()) {
    const line = untrimmed.trim();
    if (fence !== undefined) {
      if (line === '```') {
        if (block !== undefined) blocks.push(block);
        [fence, block, marks] = [undefined, undefined, []];
      } else if (line.startsWith('$ ')) {
        const command = line.slice(2);
        const mark = marks.find(({ beginning }) => command.startsWith(beginning));
        block?.push({ line: at + 1, text: command, marked: mark ? { reason: mark.reason, why: mark.why } : null });
      } else if (line.startsWith('> ')) {
        const begun = block?.pop();
        if (begun !== undefined) block?.push({ ...begun, text: `${begun.text}\n${line.slice(2)}` });
      }
    } else if (line.startsWith('```')) {
      fence = line;
      block = line === '```console' ? [] : undefined;
    } else {
      const [, reason, beginning = '', why = ''] = MARK.exec(line) ?? [];
      if (reason !== undefined) marks.push({ reason: reason as Reason, beginning, why });
      else if (line !== '') marks = [];
    }
  }
  return blocks;
}

/** Calls of `devmesh` in a text, each without that word: in code spans, in commands after `$ `, and in indented lines. */
export function callsIn(text: string): string[] {
  const code = [...text.matchAll(/`([^`\n]+)`|^(?: {4}|\s*\$ )(.+)$/gm)].map(([, span, line]) => span ?? line ?? '');
  return code
    .flatMap((piece) => piece.split(/ && | · |; /))
    .flatMap((piece) => /^(?:\.\/)?devmesh ([a-z-].*)$/.exec(piece.trim())?.[1] ?? [])
    .map((call) => call.replace(/ +(#|\().*$/, '').trim());
}

/** Lines of indented code that call a program: they belong into a block of commands. */
export function strayCommands(text: string): string[] {
  const program = /^(?:\$ )?(?:\.\/|deploy\/|tools\/|node_modules\/)?[\w./-]+/;
  const known =
    /^(?:\.\/devmesh|devmesh|deploy\/\S+\.sh|tools\/\S+|node_modules\/\S+|cd|cp|curl|docker|export|git|node|npx|pnpm|ssh|systemctl|tofu|useradd)$/;
  const fenced = text.replaceAll(/^\s*```[^]*?^\s*```$/gm, '').replaceAll(/`[^`\n]+`/g, '');
  return [...fenced.matchAll(/^ {4,}(\S.*)$/gm)]
    .map(([, line = '']) => line)
    .filter((line) => known.test(program.exec(line)?.[0].replace(/^\$ /, '') ?? ''));
}
