import { gunzip, gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { DevmeshError } from '@devmesh/contracts/errors';
import MiniSearch, { type Options } from 'minisearch';
import { z } from 'zod';
import type { Chunk } from '../chunks/chunk.js';
import { words } from './words.js';

/** A chunk as it is found: where it is, and the first of its lines. */
export interface IndexedChunk extends Chunk {
  readonly path: string;
  readonly snippet: string;
}

export interface SearchResult extends IndexedChunk {
  readonly score: number;
}

interface Entry {
  readonly id: number;
  readonly text: string;
  readonly symbol: string;
  readonly path: string;
}

const VERSION = 1;
const SNIPPET_CHARACTERS = 800;
/** What is read of a chunk's text for its words. */
const INDEXED_CHARACTERS = 8_000;
/** Largest index that is loaded, unpacked. */
const MAX_BYTES = 480 * 1024 ** 2;

const OPTIONS: Options<Entry> = {
  fields: ['text', 'symbol', 'path'],
  idField: 'id',
  tokenize: words,
  processTerm: (term) => term,
  searchOptions: { boost: { symbol: 3, path: 1.5 }, combineWith: 'OR', prefix: (term) => term.length > 3 },
};

/** `[path, startLine, endLine, symbol, snippet]`, so that 100,000 of them stay small. */
const Row = z.tuple([
  z.number().int().nonnegative(),
  z.number().int().positive(),
  z.number().int().positive(),
  z.string(),
  z.string(),
]);
const Stored = z.object({
  version: z.literal(VERSION),
  paths: z.array(z.string()),
  rows: z.array(Row),
  index: z.record(z.string(), z.unknown()),
});

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** Collects chunks and writes the index. */
export class IndexBuilder {
  readonly #search = new MiniSearch<Entry>(OPTIONS);
  readonly #paths: string[] = [];
  readonly #rows: z.infer<typeof Row>[] = [];

  get chunks(): number {
    return this.#rows.length;
  }

  addFile(path: string, lines: readonly string[], chunks: readonly Chunk[]): void {
    const file = this.#paths.push(path) - 1;
    for (const { startLine, endLine, symbol = '' } of chunks) {
      const text = lines
        .slice(startLine - 1, endLine)
        .join('\n')
        .slice(0, INDEXED_CHARACTERS);
      const id = this.#rows.push([file, startLine, endLine, symbol, text.slice(0, SNIPPET_CHARACTERS)]) - 1;
      this.#search.add({ id, text, symbol, path });
    }
  }

  /** The index as bytes (gzip of JSON). */
  async pack(): Promise<Buffer> {
    const stored = { version: VERSION, paths: this.#paths, rows: this.#rows, index: this.#search.toJSON() };
    return pack(JSON.stringify(stored), { level: 5 });
  }
}

/** A loaded index. */
export class SearchIndex {
  readonly #search: MiniSearch<Entry>;
  readonly #stored: Pick<z.infer<typeof Stored>, 'paths' | 'rows'>;

  private constructor(
    search: MiniSearch<Entry>,
    stored: Pick<z.infer<typeof Stored>, 'paths' | 'rows'>,
    /** Of the unpacked index in bytes; about what it takes in memory. */
    readonly size: number,
  ) {
    this.#search = search;
    this.#stored = stored;
  }

  /** Throws `invalid_input` for bytes that are no index. */
  static async load(bytes: Buffer): Promise<SearchIndex> {
    let json: string;
    let value: unknown;
    try {
      json = (await unpack(bytes, { maxOutputLength: MAX_BYTES })).toString('utf8');
      value = JSON.parse(json);
    } catch (error) {
      throw notAnIndex(error);
    }
    const parsed = Stored.safeParse(value);
    if (!parsed.success) throw notAnIndex(parsed.error);
    const { index, paths, rows } = parsed.data;
    try {
      const search = await MiniSearch.loadJSAsync<Entry>(
        index as unknown as Parameters<typeof MiniSearch.loadJSAsync>[0],
        OPTIONS,
      );
      return new SearchIndex(search, { paths, rows }, json.length);
    } catch (error) {
      throw notAnIndex(error);
    }
  }

  /** Best first. */
  search(query: string, limit: number): SearchResult[] {
    return this.#search
      .search(query)
      .slice(0, limit)
      .flatMap(({ id, score }) => {
        const row = this.#stored.rows[Number(id)];
        if (!row) return [];
        const [file, startLine, endLine, symbol, snippet] = row;
        const path = this.#stored.paths[file] ?? '';
        return [{ path, startLine, endLine, ...(symbol === '' ? {} : { symbol }), snippet, score }];
      });
  }
}

function notAnIndex(cause: unknown): DevmeshError {
  return new DevmeshError(
    'invalid_input',
    'the artifact is not a search index of this version: make one with rag-context/index',
    {
      cause,
    },
  );
}
