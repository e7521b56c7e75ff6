import { Writable } from 'node:stream';

/** How long a line waits for others to be written with, ms. */
const GATHER_MS = 20;

/** What `process` and its standard output are here. */
export interface OutputParts {
  readonly write: (text: string) => void;
  /** Calls back after so many ms, unless the process has ended. */
  readonly after: (ms: number, flush: () => void) => void;
  /** Calls back before the process ends by itself, an uncaught error included. */
  readonly atEnd: (flush: () => void) => void;
}

const STANDARD_OUTPUT: OutputParts = {
  write: (text) => process.stdout.write(text),
  after: (ms, flush) => setTimeout(flush, ms).unref(),
  atEnd: (flush) => process.once('exit', flush),
};

/**
 * Standard output with one write for the lines of some ms: a system call a line is a tenth of what an engine under load does. A process
 * that is killed loses what it said last, short of warnings and errors, after which `flush` is called; one that ends otherwise loses nothing.
 */
export class GatheredOutput extends Writable {
  readonly #parts: OutputParts;
  #gathered = '';

  constructor(parts: OutputParts = STANDARD_OUTPUT) {
    super({ decodeStrings: false });
    this.#parts = parts;
    parts.atEnd(() => this.flush());
  }

  override _write(line: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#gathered === '') this.#parts.after(GATHER_MS, () => this.flush());
    this.#gathered += line.toString();
    done();
  }

  flush(): void {
    const text = this.#gathered;
    this.#gathered = '';
    if (text !== '') this.#parts.write(text);
  }
}
