import type { SourceTree } from '../tree/source-tree.js';

const LANGUAGE_OF: Readonly<Record<string, string>> = {
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  jsx: 'javascript',
  ts: 'typescript',
  mts: 'typescript',
  cts: 'typescript',
  tsx: 'typescript',
  py: 'python',
  pyw: 'python',
  go: 'go',
  java: 'java',
  kt: 'kotlin',
  rb: 'ruby',
  php: 'php',
  rs: 'rust',
  c: 'c',
  h: 'c',
  cc: 'c++',
  cpp: 'c++',
  hpp: 'c++',
  cs: 'c#',
  swift: 'swift',
  scala: 'scala',
  sh: 'shell',
  bash: 'shell',
  sql: 'sql',
  html: 'html',
  css: 'css',
  scss: 'css',
  less: 'css',
  vue: 'vue',
  svelte: 'svelte',
  tf: 'terraform',
};

const MAX_FILE_BYTES = 1024 ** 2;

/** The programming language of a file by its extension, for counting; undefined for data, prose and unknown files. */
export function programmingLanguage(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  if (name.endsWith('.min.js') || name.endsWith('.min.css') || name.endsWith('.d.ts')) return undefined;
  const dot = name.lastIndexOf('.');
  return dot < 0 ? undefined : LANGUAGE_OF[name.slice(dot + 1)];
}

/** Lines of code (blank lines left out) of each file that has a language. Files over 1 MiB and binary ones don't count. */
export async function countLines(tree: SourceTree, signal?: AbortSignal): Promise<Map<string, number>> {
  const lines = new Map<string, number>();
  for (const file of tree.files) {
    if (programmingLanguage(file.path) === undefined) continue;
    await tree.breathe(signal);
    const content = tree.read(file, MAX_FILE_BYTES);
    if (content && !content.includes(0)) lines.set(file.path, codeLines(content));
  }
  return lines;
}

function codeLines(content: Buffer): number {
  let count = 0;
  let filled = false;
  for (const byte of content) {
    if (byte === 0x0a) {
      if (filled) count += 1;
      filled = false;
    } else if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) filled = true;
  }
  return filled ? count + 1 : count;
}
