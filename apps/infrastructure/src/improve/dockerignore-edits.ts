import { makeEdits, type EditedFile } from '@devmesh/analysis/stack/line-edits';

const SECRETS = 'copied with the rest it would be in the image, for everyone who has the image';

/** Entries that no image which copies its whole context should lack, with the reason. */
const WANTED: readonly (readonly [string, string])[] = [
  [
    '.git',
    'the history has all that was ever committed, and changes with every commit: no layer would be taken from the cache',
  ],
  ['**/.env', SECRETS],
];

/**
 * Adds what an existing .dockerignore lacks, where the image copies its whole context. Undefined when nothing is missing, when the file
 * lists what is let in (`*`, then `!x`), or when the repository itself has the file, which somebody wants there.
 */
export function improveDockerignore(
  path: string,
  text: string,
  has: (path: string) => boolean,
): EditedFile | undefined {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  if (lines.some((line) => /^(\*|\*\*)$/.test(line))) return undefined;
  const said = new Set(lines.map((line) => line.replace(/^!?\/?(\*\*\/)?/, '').replace(/\/(\*\*?)?$/, '')));
  const covered = (name: string): boolean => said.has(name) || (name === '.env' && said.has('.env*'));
  const missing = WANTED.filter(([entry]) => {
    const name = entry.replace('**/', '');
    return !covered(name) && !(name === '.env' && has(name));
  });
  const edits = missing.map(([entry, reason]) => ({
    start: text.length,
    end: text.length,
    text: `${entry}\n`,
    change: `leave ${entry} out of the image`,
    reason,
  }));
  return makeEdits(path, text, edits);
}
