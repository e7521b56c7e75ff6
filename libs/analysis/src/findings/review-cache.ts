import { createHash, hash, randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FileOutcome } from './file-review.js';
import { MAX_FILE_BYTES } from './read-text.js';
import type { TreeFile } from './walk.js';

/** Results in one shard; the ones that were not asked for the longest go first. 64 shards hold 25,600 files. */
const MAX_ENTRIES = 400;
const SHARDS = 64;
const DAY_MS = 24 * 60 * 60 * 1000;

interface Entry {
  /** Other files that the result depends on, with what was in them. */
  readonly read: readonly (readonly [path: string, content: string])[];
  /** Files that were not there. */
  readonly missed: readonly string[];
  readonly outcome: FileOutcome;
  /** The day it was last asked for, since 1970. */
  used: number;
}

type Shard = Map<string, Entry>;

/**
 * Results of files, kept in a folder. A result stands for a path and a content; it counts when every other file that it depends on
 * has the content it had then, and the rules are the same. Whatever is wrong with the folder, it only costs time: what can't be read is
 * not there, what can't be written is left. Several processes may use one folder.
 */
export class ReviewCache {
  readonly #folder: string;
  readonly #shards = new Map<number, Shard>();
  readonly #changed = new Set<number>();
  readonly #contents = new Map<string, string | undefined>();
  #files: ReadonlyMap<string, TreeFile> = new Map();

  constructor(readonly parent: string) {
    this.#folder = join(parent, rulesVersion());
  }

  /** What is known of the files of a tree. */
  async recall(files: readonly TreeFile[], signal?: AbortSignal): Promise<Map<string, FileOutcome>> {
    this.#files = new Map(files.map((file) => [file.path, file]));
    await mkdir(this.#folder, { recursive: true }).catch(() => undefined);
    await this.#forgetOtherVersions();
    const known = new Map<string, FileOutcome>();
    const today = Math.floor(Date.now() / DAY_MS);
    for (const [i, file] of files.entries()) {
      if (i % 200 === 0) {
        signal?.throwIfAborted();
        await nextTurn();
      }
      const key = this.#keyOf(file);
      const shard = key === undefined ? 0 : shardOf(key);
      const entry = key === undefined ? undefined : (await this.#shard(shard)).get(key);
      if (!entry || !this.#stands(entry)) continue;
      if (entry.used !== today) this.#changed.add(shard);
      entry.used = today;
      known.set(file.path, entry.outcome);
    }
    return known;
  }

  /** Keeps what came of files that were not known. */
  async keep(files: readonly TreeFile[], outcomes: ReadonlyMap<string, FileOutcome>): Promise<void> {
    const used = Math.floor(Date.now() / DAY_MS);
    for (const file of files) {
      const outcome = outcomes.get(file.path);
      const key = this.#keyOf(file);
      if (!outcome || key === undefined || 'lost' in outcome) continue;
      const { read, missed, repeatable } = 'review' in outcome ? outcome.review : NOTHING;
      if (!repeatable) continue;
      const contents = read.map((path) => [path, this.#contentOf(path) ?? ''] as const);
      const number = shardOf(key);
      (await this.#shard(number)).set(key, { read: contents, missed, outcome, used });
      this.#changed.add(number);
    }
    for (const number of this.#changed) await this.#write(number);
    this.#changed.clear();
  }

  #stands({ read, missed }: Entry): boolean {
    return (
      missed.every((path) => !this.#files.has(path)) &&
      read.every(([path, content]) => this.#contentOf(path) === content)
    );
  }

  /** Undefined for a file that is never kept: it can't be read, or its name is not UTF-8. */
  #keyOf(file: TreeFile): string | undefined {
    const content = file.exact ? this.#contentOf(file.path) : undefined;
    return content === undefined ? undefined : hash('sha256', `${file.path}\0${content}`, 'hex');
  }

  #contentOf(path: string): string | undefined {
    if (!this.#contents.has(path)) {
      const file = this.#files.get(path);
      this.#contents.set(path, file && contentOf(file));
    }
    return this.#contents.get(path);
  }

  async #shard(number: number): Promise<Shard> {
    const known = this.#shards.get(number);
    if (known) return known;
    const shard: Shard = new Map();
    try {
      const text = await readFile(this.#nameOf(number), 'utf8');
      const end = text.indexOf('\n');
      const body = text.slice(end + 1);
      // What another process was cut off in, or a disk lost, is not believed.
      if (hash('sha256', body, 'hex') === text.slice(0, end))
        for (const [key, entry] of JSON.parse(body) as [string, Entry][]) shard.set(key, entry);
    } catch {
      // Not there yet, or not readable: as if it were empty.
    }
    this.#shards.set(number, shard);
    return shard;
  }

  async #write(number: number): Promise<void> {
    const entries = [...(await this.#shard(number))].sort(([, a], [, b]) => b.used - a.used).slice(0, MAX_ENTRIES);
    const body = JSON.stringify(entries);
    const name = this.#nameOf(number);
    const draft = `${name}.${randomBytes(6).toString('hex')}`;
    try {
      await writeFile(draft, `${hash('sha256', body, 'hex')}\n${body}`, { mode: 0o600 });
      await rename(draft, name);
    } catch {
      await rm(draft, { force: true }).catch(() => undefined);
    }
  }

  #nameOf(number: number): string {
    return join(this.#folder, `${number.toString(16).padStart(2, '0')}.json`);
  }

  async #forgetOtherVersions(): Promise<void> {
    try {
      for (const name of await readdir(this.parent))
        if (/^[0-9a-f]{16}$/.test(name) && name !== rulesVersion())
          await rm(join(this.parent, name), { recursive: true, force: true });
    } catch {
      // Nothing to forget.
    }
  }
}

const NOTHING = { read: [], missed: [], repeatable: true };

function shardOf(key: string): number {
  return Number.parseInt(key.slice(0, 2), 16) % SHARDS;
}

/** A digest of a file, or what stands for one that is too large to be reviewed; undefined when it can't be read. */
function contentOf(file: TreeFile): string | undefined {
  try {
    const handle = openSync(file.bytes, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      if (fstatSync(handle).size > MAX_FILE_BYTES) return 'too-large';
      return hash('sha256', readFileSync(handle), 'hex');
    } finally {
      closeSync(handle);
    }
  } catch {
    return undefined;
  }
}

let version: string | undefined;

/** A digest of this library's code and of where its parsers lie, which names their versions: other rules, other results. */
export function rulesVersion(): string {
  if (version !== undefined) return version;
  const digest = createHash('sha256');
  const folder = fileURLToPath(new URL('..', import.meta.url));
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && /(?<!\.d|\.spec)\.[jt]s$/.test(one.name))
    .map((one) => join(one.parentPath, one.name))
    .sort())
    digest.update(readFileSync(entry)).update('\0');
  for (const name of ['oxc-parser', '@ast-grep/napi', '@ast-grep/lang-python', '@secretlint/core', 'yaml'])
    digest.update(`${import.meta.resolve(name)}\0`);
  version = digest.digest('hex').slice(0, 16);
  return version;
}
