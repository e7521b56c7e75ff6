/** Turns UTF-16 offsets of one text into lines, columns and UTF-8 byte offsets. */
export class Positions {
  readonly #lineStarts: number[] = [0];

  constructor(readonly text: string) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1);
  }

  /** 1-based line and column (UTF-16 code units) of an offset. */
  at(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 };
  }

  /** Offset of the first character of a 1-based line. */
  startOf(line: number): number {
    return this.#lineStarts[line - 1] ?? this.text.length;
  }

  /** Text of a 1-based line without its line ending. */
  line(line: number): string {
    return this.text.slice(this.startOf(line), this.startOf(line + 1)).replace(/\r?\n$/, '');
  }

  /** UTF-8 byte offset of a UTF-16 offset. */
  byte(offset: number): number {
    return Buffer.byteLength(this.text.slice(0, offset), 'utf8');
  }
}
