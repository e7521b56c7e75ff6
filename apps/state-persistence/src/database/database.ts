import { DevmeshError } from '@devmesh/contracts/errors';
import pg from 'pg';

/** A statement with its arguments. Statements with the same name have the same text, and are prepared once per connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface DatabaseOptions {
  readonly url: string;
  readonly poolSize: number;
  /** How long a statement waits for a row's lock, ms. */
  readonly lockTimeoutMs: number;
  /** Told of connections that break while idle. */
  readonly onError?: (error: Error) => void;
}

/** Counts since start, for the metrics. */
export interface DatabaseCounts {
  /** Statements sent. */
  statements: number;
  /** Transactions that wrote. Each writing statement is one: nothing here holds a lock from one statement to the next. */
  transactions: number;
}

/** The pool of the hot paths: PostgreSQL through `pg`, one statement a transaction. */
export class Database {
  readonly counts: DatabaseCounts = { statements: 0, transactions: 0 };
  private readonly pool: pg.Pool;

  constructor(options: DatabaseOptions) {
    // Every statement here is a lookup by key. The plan made while tables are empty must be right when they are full.
    const settings = {
      lock_timeout: String(options.lockTimeoutMs),
      statement_timeout: '30000',
      plan_cache_mode: 'force_generic_plan',
      enable_seqscan: 'off',
      jit: 'off',
    };
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: options.poolSize,
      connectionTimeoutMillis: 5_000,
      application_name: 'devmesh-state-persistence',
      options: Object.entries(settings)
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
    });
    this.pool.on('error', (error) => options.onError?.(error));
  }

  /** Runs a statement that writes: a transaction of its own. */
  async write<R extends object>(statement: Statement): Promise<R[]> {
    this.counts.transactions++;
    return this.send<R>(statement);
  }

  async read<R extends object>(statement: Statement): Promise<R[]> {
    return this.send<R>(statement);
  }

  /**
   * A transaction of several statements, for what is rare and has to look after it locked: each statement sees what was committed
   * before it. Rolled back when `work` throws.
   */
  async transaction<T>(
    work: (run: <R extends object>(statement: Statement) => Promise<R[]>) => Promise<T>,
  ): Promise<T> {
    this.counts.transactions++;
    const client = await this.pool.connect();
    let broken = false;
    try {
      await client.query('begin');
      const result = await work(async <R extends object>(statement: Statement) => {
        this.counts.statements++;
        return (await client.query<R>({ ...statement, values: [...statement.values] })).rows;
      });
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch(() => {
        broken = true;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async send<R extends object>(statement: Statement): Promise<R[]> {
    this.counts.statements++;
    const result = await this.pool.query<R>({ ...statement, values: [...statement.values] });
    return result.rows;
  }
}

/** Collects the arguments of a statement that is put together from parts. */
export class Args {
  readonly values: unknown[] = [];

  /** Adds an argument and answers its place, cast to `type`. */
  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

type Column<T> = readonly [type: string, value: (row: T) => unknown];

/** `unnest` of one array argument per column. */
export function unnest<T>(args: Args, rows: readonly T[], columns: readonly Column<T>[]): string {
  return `unnest(${columns.map(([type, value]) => args.add(rows.map(value), `${type}[]`)).join(', ')})`;
}

/** An instant for a `timestamptz` argument. */
export function instant(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

/**
 * Text that came from outside, for a `text` column: that holds anything but NUL, and a run must not get stuck because a tool's
 * message has one. `json` columns keep even that.
 */
export function printable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

/** The database's code for what went wrong; null when it was not the database that said so. */
export function sqlState(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null;
}

/**
 * What a failed statement means to the caller. Without an SQLSTATE the connection broke, and whether the statement was
 * committed is unknown: every operation here may be sent again.
 */
export function databaseError(error: unknown): DevmeshError {
  if (error instanceof DevmeshError) return error;
  const state = sqlState(error);
  if (state === null || state.startsWith('08') || state.startsWith('57P')) {
    return new DevmeshError(
      'unavailable',
      'The database cannot be reached; look at its log, or wait for it to be back.',
      {
        cause: error,
      },
    );
  }
  if (state === '53100') {
    return new DevmeshError('storage_full', 'The database has no space left; free some on its disk, then try again.', {
      cause: error,
    });
  }
  if (state === '55P03' || state === '40P01' || state === '40001' || state === '57014' || state.startsWith('53')) {
    return new DevmeshError('unavailable', `The database is too busy (SQLSTATE ${state}); try again.`, {
      cause: error,
    });
  }
  if (state.startsWith('22')) {
    return new DevmeshError(
      'invalid_request',
      `The database cannot hold a value of this request (SQLSTATE ${state}).`,
      {
        cause: error,
      },
    );
  }
  return new DevmeshError('internal', `A statement failed (SQLSTATE ${state}); the log of the service has it.`, {
    cause: error,
  });
}
