import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FindingClass } from '@devmesh/contracts/finding';

export interface CorpusFile {
  readonly path: string;
  readonly text: string;
}

/** A labelled piece of code: `bad` has a defect of the class somewhere, `good` has none of that class anywhere. */
export interface Snippet {
  /** `file: title`, one of its kind. */
  readonly name: string;
  readonly language: string;
  readonly label: 'bad' | 'good';
  readonly class: FindingClass;
  readonly files: readonly CorpusFile[];
}

const DEFAULT_PATH: Readonly<Record<string, string>> = {
  javascript: 'src/app.js',
  typescript: 'src/app.ts',
  python: 'src/app.py',
  go: 'main.go',
  java: 'src/main/java/App.java',
  docker: 'Dockerfile',
  kubernetes: 'deploy/app.yaml',
  compose: 'docker-compose.yml',
  terraform: 'main.tf',
  actions: '.github/workflows/build.yml',
  config: 'config.yaml',
};

const HEADER = /^=== (bad|good) ([a-z0-9-]+): (.+?)(?: \[(\S+)\])?$/;

/**
 * Reads `LANGUAGE-topic.snippets`: `=== bad CLASS: title [path]`, then the code; `--- path` begins another file of the same
 * snippet. Throws with file and line on anything else, and on a title that is taken.
 */
export function parseSnippets(file: string, text: string): Snippet[] {
  const language = file.split('-')[0] ?? '';
  const found: {
    name: string;
    label: 'bad' | 'good';
    class: FindingClass;
    files: { path: string; lines: string[] }[];
  }[] = [];
  const names = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    const last = found.at(-1);
    const fail = (problem: string): never => {
      throw new Error(`${file}:${index + 1}: ${problem}`);
    };
    if (line.startsWith('===')) {
      const [, label, kind, title = '', path] = HEADER.exec(line) ?? fail('write "=== bad|good CLASS: title [path]"');
      const parsed = FindingClass.safeParse(kind);
      const name = `${file}: ${title}`;
      if (names.has(name)) fail(`the title "${title}" is taken`);
      names.add(name);
      found.push({
        name,
        label: label === 'bad' ? 'bad' : 'good',
        class: parsed.success ? parsed.data : fail(`there is no class ${kind}`),
        files: [{ path: path ?? DEFAULT_PATH[language] ?? fail(`say a path: ${language} has none`), lines: [] }],
      });
    } else if (line.startsWith('--- ') && last && !line.includes(' ', 4)) {
      last.files.push({ path: line.slice(4), lines: [] });
    } else if (last) last.files.at(-1)?.lines.push(line);
    else if (line.trim() !== '' && !line.startsWith('#')) fail('code before the first "==="');
  }
  return found.map(({ files, ...snippet }) => ({
    ...snippet,
    language,
    files: files.map(({ path, lines }) => ({ path, text: `${lines.join('\n').trim()}\n` })),
  }));
}

/** Every snippet below a folder, by file name. */
export function readCorpus(folder: string): Snippet[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.snippets'))
    .sort()
    .flatMap((name) => parseSnippets(name.replace(/\.snippets$/, ''), readFileSync(join(folder, name), 'utf8')));
}
