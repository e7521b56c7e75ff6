const KEPT = 40;

/** Remembers the last lines of a process, and finds among them the one that says best why it ended. */
export class LastWords {
  readonly #lines: string[] = [];
  #rest = '';

  hear(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString()).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-8_000);
    this.#lines.push(...lines.filter((line) => line.trim() !== ''));
    this.#lines.splice(0, this.#lines.length - KEPT);
  }

  /**
   * The last line that a log calls an error, else the last that reads like one, else the last of all; never a stack. Empty when
   * nothing was said.
   */
  get telling(): string {
    const lines = [...this.#lines, this.#rest].filter((line) => line.trim() !== '');
    const logged = lines.map(errorMessage).findLast((message) => message !== null);
    const spoken = lines.findLast(
      (line) => /^(\w*Error\b|FATAL|.*\b(FATAL|PANIC):)/.test(line.trim()) && !/^\s+at /.test(line),
    );
    return (logged ?? spoken ?? lines.at(-1) ?? '').trim().slice(0, 500);
  }

  clear(): void {
    this.#lines.length = 0;
    this.#rest = '';
  }
}

/** The message of a JSON line of level error; null for any other line. */
function errorMessage(line: string): string | null {
  if (!line.startsWith('{')) return null;
  try {
    const { level, message, error } = JSON.parse(line) as {
      level?: unknown;
      message?: unknown;
      error?: { message?: unknown };
    };
    if (level !== 'error' || typeof message !== 'string') return null;
    return typeof error?.message === 'string' ? `${message}: ${error.message}` : message;
  } catch {
    return null;
  }
}
