/** Lines that differ, as in a unified diff without context. With 0 lines, a start is the line before. */
export interface ChangedLines {
  readonly baseStart: number;
  readonly baseLines: number;
  readonly start: number;
  readonly lines: number;
}

/** A file that differs between two trees. `path` is null for one that is gone, `basePath` for one that is added. */
export interface FileChange {
  readonly path: string | null;
  readonly basePath: string | null;
  readonly hunks: readonly ChangedLines[];
}

/** Which line of the base a line is, and which lines differ. */
export class LineMap {
  readonly #file: FileChange;

  constructor(file: FileChange) {
    this.#file = file;
  }

  /** The line of the base that this one was; undefined for one that the change has made. */
  toBase(line: number): number | undefined {
    if (this.#file.basePath === null) return undefined;
    let shift = 0;
    for (const { baseStart, baseLines, start, lines } of this.#file.hunks) {
      const end = lines > 0 ? start + lines - 1 : start;
      if (lines > 0 && line >= start && line <= end) return undefined;
      if (line <= end) break;
      shift = (baseLines > 0 ? baseStart + baseLines - 1 : baseStart) - end;
    }
    return line + shift;
  }

  /** Whether the change has made one of these lines, or has taken some from between them. */
  touches(first: number, last: number): boolean {
    if (this.#file.basePath === null) return true;
    return this.#file.hunks.some(({ start, lines }) =>
      lines > 0 ? start <= last && first < start + lines : first <= start && start < last,
    );
  }
}
