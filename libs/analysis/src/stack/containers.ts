import { languageOf } from '../parse/language.js';
import { parseDockerfile } from '../parse/dockerfile.js';
import { Positions } from '../parse/positions.js';
import type { SourceTree } from '../tree/source-tree.js';
import { asPort } from './source-facts.js';

/**
 * First words of every file that the mesh writes as a whole. Such a file is derived from the repository, so it is no
 * evidence about it: without this the mesh would come to believe its own defaults.
 */
export const GENERATED_MARK = 'Written by Devmesh';

export function isGenerated(text: string): boolean {
  return text.slice(0, 200).includes(GENERATED_MARK);
}

interface Said<T> {
  readonly value: T;
  readonly line: number;
}

/** What somebody's Dockerfile says about the component it belongs to. */
export interface DockerFacts {
  readonly path: string;
  readonly exposes: readonly Said<string>[];
  /** Base images of all stages. */
  readonly bases: readonly Said<string>[];
  /** CMD or ENTRYPOINT in exec form. */
  readonly command: Said<readonly string[]> | undefined;
  /** Paths that HEALTHCHECK asks, e.g. `/health`. */
  readonly healthPath: string | undefined;
}

/** Every Dockerfile of the tree, generated ones too. */
export function dockerfilePaths(tree: SourceTree): string[] {
  return tree.files.filter((file) => file.utf8 && languageOf(file.path) === 'dockerfile').map(({ path }) => path);
}

export function readDockerfile(tree: SourceTree, path: string): DockerFacts | undefined {
  const text = tree.text(path);
  if (text === undefined || isGenerated(text)) return undefined;
  const positions = new Positions(text);
  const { instructions } = parseDockerfile(text);
  const line = (offset: number): number => positions.at(offset).line;
  const of = (keyword: string): typeof instructions => instructions.filter((one) => one.keyword === keyword);
  const last = of('ENTRYPOINT').at(-1) ?? of('CMD').at(-1);
  const command = last && execForm(last.value);
  return {
    path,
    exposes: of('EXPOSE').flatMap((one) =>
      one.value.split(/\s+/).flatMap((word) => {
        const value = asPort(word.replace(/\/tcp$/, ''));
        return value === undefined ? [] : [{ value, line: line(one.start) }];
      }),
    ),
    bases: of('FROM').map((one) => ({
      value: one.value.split(/\s+/).find((word) => !word.startsWith('--')) ?? '',
      line: line(one.start),
    })),
    command: last && command && { value: command, line: line(last.start) },
    healthPath: /https?:\/\/(?:localhost|127\.0\.0\.1)[^/\s]*(\/[\w/-]+)/.exec(
      of('HEALTHCHECK').at(-1)?.value ?? '',
    )?.[1],
  };
}

function execForm(value: string): readonly string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) && parsed.every((word): word is string => typeof word === 'string')
      ? parsed
      : undefined;
  } catch {
    return undefined;
  }
}
