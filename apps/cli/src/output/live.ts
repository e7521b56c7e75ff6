import type { Output } from '../context.js';
import { cut, width } from './text.js';

/**
 * A block of lines at the bottom of a terminal that is drawn anew in place. Only as many lines as fit are drawn, so that
 * nothing scrolls away under it. What is written by `print` stays above.
 */
export class LiveBlock {
  readonly #out: Output;
  #height = 0;
  #hidden = false;
  #last = '';

  constructor(out: Output) {
    this.#out = out;
  }

  draw(lines: readonly string[]): void {
    const room = Math.max(1, this.#out.rows - 1);
    const shown = lines.length > room ? [...lines.slice(0, room - 1), `  … ${lines.length - room + 1} more`] : lines;
    // A line that wraps would put the cursor where we don't expect it.
    const text = shown
      .map((line) =>
        width(line) > this.#out.columns ? cut(line.replace(/\u001b\[[0-9;]*m/g, ''), this.#out.columns) : line,
      )
      .join('\n');
    if (text === this.#last) return;
    if (!this.#hidden) this.#out.write('\u001b[?25l');
    this.#hidden = true;
    // One write a frame, each line cleared behind its end: no flicker.
    this.#out.write(`${this.#home()}${text.replaceAll('\n', '\u001b[K\n')}\u001b[K\u001b[J\n`);
    this.#height = shown.length;
    this.#last = text;
  }

  #home(): string {
    return this.#height === 0 ? '' : `\r\u001b[${this.#height}A`;
  }

  /** Takes the block away and gives the cursor back. */
  clear(): void {
    this.#out.write(`${this.#home()}${this.#height === 0 ? '' : '\u001b[J'}${this.#hidden ? '\u001b[?25h' : ''}`);
    this.#height = 0;
    this.#hidden = false;
    this.#last = '';
  }

  /** Leaves what was drawn last where it is, and gives the cursor back. */
  keep(): void {
    if (this.#hidden) this.#out.write('\u001b[?25h');
    this.#height = 0;
    this.#hidden = false;
    this.#last = '';
  }
}
