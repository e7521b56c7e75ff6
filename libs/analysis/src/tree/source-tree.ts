import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DevmeshError } from '@devmesh/contracts/errors';
import { GENERATED_FOLDERS, VENDORED_FOLDERS } from './foreign-folders.js';

/** A regular file of a tree. `path` is relative with "/", for people and for lookups; `bytes` is the true name. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: Buffer;
  /** In bytes. */
  readonly size: number;
  /** Whether the name is UTF-8; if not, `path` has replaced characters. */
  readonly utf8: boolean;
}

export interface SourceTreeOptions {
  readonly signal?: AbortSignal;
  /** Files after this many are left out and `truncated` is set. Default 100,000. */
  readonly maxFiles?: number;
}

/** What tells nothing about the code: others' work, and what tools keep. */
const LEFT_OUT = new Set([...VENDORED_FOLDERS, ...GENERATED_FOLDERS, '.git', '.hg', '.svn', 'target', '.devmesh']);

const DEFAULT_MAX_FILES = 100_000;
const DEFAULT_MAX_BYTES = 1024 ** 2;
const MAX_DEPTH = 64;
/** Reading is synchronous, which is several times faster for small files; other work gets a turn this often. */
const TURN_MS = 20;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * The regular files of a checkout, without vendored folders. Links are never followed, only their names are known. What is
 * too large, binary or not UTF-8 has no text.
 */
export class SourceTree {
  readonly #root: Buffer;
  readonly #byPath = new Map<string, SourceFile>();
  readonly #others: ReadonlySet<string>;
  #lastTurn = performance.now();

  private constructor(
    root: Buffer,
    readonly files: readonly SourceFile[],
    others: ReadonlySet<string>,
    /** Whether there were more files than the limit. */
    readonly truncated: boolean,
  ) {
    this.#root = root;
    this.#others = others;
    for (const file of files) if (file.utf8) this.#byPath.set(file.path, file);
  }

  /** Lists `root`, an absolute path. Throws `invalid_repository` when it is no folder, `execution_cancelled` on abort. */
  static async open(root: string, options: SourceTreeOptions = {}): Promise<SourceTree> {
    const rootBytes = Buffer.from(root);
    const files: SourceFile[] = [];
    const others = new Set<string>();
    const maxFiles = options.maxFiles ?? DEFAULT_MAX_FILES;
    const folders: { bytes: Buffer; depth: number }[] = [{ bytes: Buffer.alloc(0), depth: 0 }];
    let truncated = false;
    for (let folder = folders.pop(); folder; folder = folders.pop()) {
      stopIfAborted(options.signal);
      const at = folder.bytes.length === 0 ? rootBytes : join(rootBytes, folder.bytes);
      const entries = await readdir(at, { withFileTypes: true, encoding: 'buffer' }).catch((error: unknown) => {
        if (folder.depth > 0) return [];
        throw new DevmeshError('invalid_repository', 'the checkout can not be listed: it is not a readable folder', {
          cause: error,
        });
      });
      for (const entry of entries) {
        const bytes = folder.bytes.length === 0 ? entry.name : join(folder.bytes, entry.name);
        const path = decode(bytes);
        if (entry.isDirectory()) {
          if (LEFT_OUT.has(entry.name.toString().toLowerCase()) || folder.depth >= MAX_DEPTH) continue;
          folders.push({ bytes, depth: folder.depth + 1 });
        } else if (!entry.isFile()) {
          if (path !== undefined) others.add(path);
        } else if (files.length >= maxFiles) {
          truncated = true;
        } else {
          const size = sizeOf(join(rootBytes, bytes));
          if (size !== undefined) files.push({ path: path ?? bytes.toString(), bytes, size, utf8: path !== undefined });
        }
      }
    }
    files.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    return new SourceTree(rootBytes, files, others, truncated);
  }

  /** A regular file by its path. */
  file(path: string): SourceFile | undefined {
    return this.#byPath.get(path);
  }

  /** Whether anything but a folder stands at this path: a file, a link (even a broken one), a socket. */
  exists(path: string): boolean {
    return this.#byPath.has(path) || this.#others.has(path);
  }

  /** Content of a file. Undefined when it is not there, is larger than `maxBytes`, or is no regular file any more. */
  read(file: SourceFile | string, maxBytes = DEFAULT_MAX_BYTES): Buffer | undefined {
    const found = typeof file === 'string' ? this.file(file) : file;
    if (!found || found.size > maxBytes) return undefined;
    let handle: number;
    try {
      handle = openSync(
        join(this.#root, found.bytes),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
    } catch {
      return undefined;
    }
    try {
      const stats = fstatSync(handle);
      if (!stats.isFile() || stats.size > maxBytes) return undefined;
      const content = Buffer.allocUnsafe(stats.size);
      let length = 0;
      while (length < content.length) {
        const count = readSync(handle, content, length, content.length - length, null);
        if (count === 0) break;
        length += count;
      }
      return content.subarray(0, length);
    } finally {
      closeSync(handle);
    }
  }

  /** Text of a file, without its byte order mark; undefined also for binary content and other encodings than UTF-8. */
  text(file: SourceFile | string, maxBytes = DEFAULT_MAX_BYTES): string | undefined {
    const content = this.read(file, maxBytes);
    if (!content || content.includes(0)) return undefined;
    return decode(content)?.replace(/^\uFEFF/, '');
  }

  /** To be awaited between files in long loops: lets other work of the process go on. Throws `execution_cancelled` on abort. */
  async breathe(signal?: AbortSignal): Promise<void> {
    stopIfAborted(signal);
    if (performance.now() - this.#lastTurn < TURN_MS) return;
    await nextTurn();
    this.#lastTurn = performance.now();
  }
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new DevmeshError('execution_cancelled', 'the execution was cancelled while it read the repository');
  }
}

function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, Buffer.from('/'), name]);
}

function sizeOf(path: Buffer): number | undefined {
  try {
    return lstatSync(path).size;
  } catch {
    return undefined;
  }
}
