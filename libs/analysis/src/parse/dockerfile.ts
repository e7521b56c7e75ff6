/**
 * One instruction of a Dockerfile. Offsets are UTF-16 code units of the file; `value` is what follows the keyword with
 * continuation lines joined by blanks and comments inside them left out.
 */
export interface DockerInstruction {
  readonly keyword: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
  /** Bodies of here-documents, without their last line. */
  readonly heredocs: readonly string[];
  /** Index of the stage that it belongs to; -1 before the first FROM. */
  readonly stage: number;
}

export interface DockerStage {
  /** Image or name of an earlier stage, as written, without flags. */
  readonly base: string;
  readonly name: string | undefined;
  readonly from: DockerInstruction;
  readonly instructions: readonly DockerInstruction[];
}

export interface Dockerfile {
  readonly instructions: readonly DockerInstruction[];
  readonly stages: readonly DockerStage[];
  /** Whether every line was understood. */
  readonly valid: boolean;
}

const KEYWORDS = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
);

interface Line {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf('\n', start);
    const next = newline < 0 ? text.length : newline + 1;
    const raw = text.slice(start, newline < 0 ? text.length : newline);
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    lines.push({ text: line, start, end: start + line.length });
    start = next;
  }
  return lines;
}

/** `# escape=` is only a directive at the very top. */
function escapeOf(lines: readonly Line[]): string {
  for (const { text } of lines) {
    const directive = /^\s*#\s*([a-z]+)\s*=\s*(\S+)\s*$/i.exec(text);
    if (!directive) return '\\';
    if (directive[1]?.toLowerCase() === 'escape') return directive[2] === '`' ? '`' : '\\';
  }
  return '\\';
}

/** Reads a Dockerfile: continuation lines, comments, here-documents, stages. Never throws; what it can't read makes it not `valid`. */
export function parseDockerfile(text: string): Dockerfile {
  const lines = linesOf(text);
  const escape = escapeOf(lines);
  const instructions: DockerInstruction[] = [];
  let valid = true;
  let stage = -1;
  for (let i = 0; i < lines.length; i += 1) {
    const first = lines[i];
    if (!first || /^\s*(#|$)/.test(first.text)) continue;
    const parts: string[] = [];
    let last = first;
    for (;;) {
      const line = lines[i];
      if (!line) break;
      last = line;
      // Comments and empty lines inside an instruction are dropped; they don't end it.
      if (line !== first && /^\s*(#|$)/.test(line.text)) {
        i += 1;
        continue;
      }
      const body = line.text.trimEnd();
      const goesOn = body.endsWith(escape);
      parts.push((goesOn ? body.slice(0, -1) : body).trim());
      if (!goesOn) break;
      i += 1;
    }
    const joined = parts.filter((part) => part !== '').join(' ');
    const [, word = '', value = ''] = /^(\S+)\s*(.*)$/s.exec(joined) ?? [];
    const keyword = word.toUpperCase();
    if (!KEYWORDS.has(keyword)) {
      valid = false;
      continue;
    }
    const heredocs: string[] = [];
    if (keyword === 'RUN' || keyword === 'COPY' || keyword === 'ADD') {
      for (const [, dash, , name] of value.matchAll(/<<(-?)(["']?)([A-Za-z_][A-Za-z0-9_]*)\2/g)) {
        const body: string[] = [];
        for (i += 1; i < lines.length; i += 1) {
          const line = lines[i];
          if (!line) break;
          last = line;
          if ((dash ? line.text.replace(/^\t+/, '') : line.text) === name) break;
          body.push(line.text);
        }
        if (i >= lines.length) valid = false;
        heredocs.push(body.join('\n'));
      }
    }
    if (keyword === 'FROM') stage += 1;
    else if (stage < 0 && keyword !== 'ARG') valid = false;
    instructions.push({ keyword, value, start: first.start, end: last.end, heredocs, stage });
  }
  if (stage < 0) valid = false;
  return { instructions, stages: stagesOf(instructions), valid };
}

function stagesOf(instructions: readonly DockerInstruction[]): DockerStage[] {
  return instructions
    .filter((instruction) => instruction.keyword === 'FROM')
    .map((from) => {
      const words = from.value.split(/\s+/).filter((word) => !word.startsWith('--'));
      return {
        base: words[0] ?? '',
        name: words[1]?.toLowerCase() === 'as' ? words[2] : undefined,
        from,
        instructions: instructions.filter((other) => other.stage === from.stage && other !== from),
      };
    });
}
