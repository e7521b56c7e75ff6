import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FINDING_CLASSES, FindingClass } from '@devmesh/contracts/finding';
import type { CorpusFile } from './read-corpus.js';

/**
 * What is to be said of a line: `bad` has a defect of the class, `good` looks like one and has none, `open` can be argued either way
 * and counts for nothing.
 */
export interface LineLabel {
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  readonly label: 'bad' | 'good' | 'open';
  readonly class: FindingClass;
  /** Of a bad line, where its class has CWEs. */
  readonly cwe?: number;
}

/** Whole files that belong together, with every defect in them labelled: a finding on a line without a label is a false alarm. */
export interface Case {
  readonly name: string;
  readonly language: string;
  readonly files: readonly CorpusFile[];
  readonly labels: readonly LineLabel[];
}

const MARK = /\s*<<<\s*((?:bad|good|open)\b.*)$/;
const LABEL = /^(bad|good|open) ([a-z0-9-]+)(?: (\d+))?$/;

/**
 * Reads `LANGUAGE-name.case`: `--- path` begins a file; a line that ends with `<<< bad CLASS CWE`, `<<< good CLASS` or `<<< open CLASS`
 * (several with `; `) carries labels, which are taken off, so that the review reads the file as somebody would have written it. What is
 * before the first file tells about the case. Throws with file and line on anything else.
 */
export function parseCase(name: string, text: string): Case {
  const files: { path: string; lines: string[] }[] = [];
  const labels: LineLabel[] = [];
  for (const [index, raw] of text.trimEnd().split('\n').entries()) {
    if (raw.startsWith('--- ') && !raw.includes(' ', 4)) {
      files.push({ path: raw.slice(4), lines: [] });
      continue;
    }
    const last = files.at(-1);
    if (!last) continue;
    const mark = MARK.exec(raw);
    last.lines.push(mark ? raw.slice(0, mark.index) : raw);
    for (const part of mark?.[1]?.split(';') ?? [])
      labels.push({ path: last.path, line: last.lines.length, ...parseLabel(part.trim(), `${name}:${index + 1}`) });
  }
  if (files.length === 0) throw new Error(`${name}: no "--- path" begins a file`);
  return {
    name,
    language: name.split('-')[0] ?? '',
    files: files.map(({ path, lines }) => ({ path, text: `${lines.join('\n').trimEnd()}\n` })),
    labels,
  };
}

function parseLabel(text: string, at: string): Pick<LineLabel, 'label' | 'class' | 'cwe'> {
  const [, label, kind, number] = LABEL.exec(text) ?? [];
  if (label !== 'bad' && label !== 'good' && label !== 'open')
    throw new Error(`${at}: write "<<< bad CLASS CWE", "<<< good CLASS" or "<<< open CLASS", not "${text}"`);
  const parsed = FindingClass.safeParse(kind);
  if (!parsed.success) throw new Error(`${at}: there is no class ${kind}`);
  const cwes: readonly number[] = FINDING_CLASSES[parsed.data];
  if (label !== 'bad' || (cwes.length === 0 && number === undefined)) return { label, class: parsed.data };
  if (!cwes.includes(Number(number)))
    throw new Error(`${at}: say the CWE of ${parsed.data}: one of ${cwes.join(', ') || 'none'}`);
  return { label, class: parsed.data, cwe: Number(number) };
}

/** Every case below a folder, by file name. */
export function readCases(folder: string): Case[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.case'))
    .sort()
    .map((name) => parseCase(name.replace(/\.case$/, ''), readFileSync(join(folder, name), 'utf8')));
}
