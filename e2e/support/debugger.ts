import { existsSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

interface Script {
  readonly url: string;
  readonly sourceMapURL: string;
}

interface Paused {
  readonly hitBreakpoints?: readonly string[];
  readonly callFrames: readonly { readonly functionName: string; readonly url: string }[];
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Where the process has its files, and where the same files are here. */
export interface Roots {
  readonly remoteRoot: string;
  readonly localRoot: string;
}

/** What an editor does to debug a process of node: the inspector protocol, and source maps to get from TypeScript to what runs. */
export class Debugger {
  readonly #socket: WebSocket;
  readonly #roots: Roots;
  readonly #scripts: Script[] = [];
  readonly #calls = new Map<number, (message: Message) => void>();
  #paused: (paused: Paused) => void = () => {};
  #next = 1;

  private constructor(socket: WebSocket, roots: Roots) {
    this.#socket = socket;
    this.#roots = roots;
    socket.addEventListener('message', ({ data }) => {
      this.#hear(JSON.parse(String(data)) as Message);
    });
  }

  /** Attaches to the process that has its inspector at this port of 127.0.0.1; `roots` when its files are elsewhere. */
  static async attach(port: number, roots: Roots = { remoteRoot: '/', localRoot: '/' }): Promise<Debugger> {
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
      webSocketDebuggerUrl: string;
    }[];
    const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '');
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error(`no inspector at port ${port}`)));
    });
    const attached = new Debugger(socket, roots);
    // Its answer comes after all scripts that are loaded already.
    await attached.#call('Debugger.enable');
    return attached;
  }

  /** The value of an expression in the process. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = (await this.#call('Runtime.evaluate', { expression, returnByValue: true })) as {
      result: { value?: unknown };
    };
    return result.value;
  }

  /** Breaks at a line of a TypeScript file, counted from one. Throws when no loaded script was made of it. */
  async breakAt(file: string, line: number): Promise<string> {
    for (const { url, sourceMapURL } of this.#scripts) {
      if (!url.startsWith('file:') || sourceMapURL === '' || sourceMapURL.startsWith('data:')) continue;
      const here = this.#here(url);
      const mapUrl = new URL(sourceMapURL, here);
      if (!existsSync(mapUrl)) continue;
      const payload = JSON.parse(readFileSync(mapUrl, 'utf8')) as SourceMapPayload;
      if (!payload.sources.some((source) => fileURLToPath(new URL(source, mapUrl)) === file)) continue;
      const generated = generatedLine(here, new SourceMap(payload), line);
      const { breakpointId } = (await this.#call('Debugger.setBreakpointByUrl', { url, lineNumber: generated })) as {
        breakpointId: string;
      };
      return breakpointId;
    }
    throw new Error(`no script of ${this.#scripts.length} was made of ${file}`);
  }

  /** Resolves with the next stop at a breakpoint; to be called before what leads to it. */
  stop(): Promise<Paused> {
    return new Promise((resolve) => {
      this.#paused = resolve;
    });
  }

  /** Takes a breakpoint away, so that nothing stops there again. */
  async remove(breakpointId: string): Promise<void> {
    await this.#call('Debugger.removeBreakpoint', { breakpointId });
  }

  async resume(): Promise<void> {
    await this.#call('Debugger.resume');
  }

  close(): void {
    this.#socket.close();
  }

  /** Where the file of a script is here. */
  #here(url: string): URL {
    const { remoteRoot, localRoot } = this.#roots;
    return pathToFileURL(join(localRoot, relative(remoteRoot, fileURLToPath(url))));
  }

  #call(method: string, params: object = {}): Promise<unknown> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result);
        else reject(new Error(`${method}: ${error.message}`));
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  #hear(message: Message): void {
    if (message.id !== undefined) {
      this.#calls.get(message.id)?.(message);
      this.#calls.delete(message.id);
    } else if (message.method === 'Debugger.scriptParsed') this.#scripts.push(message.params as Script);
    else if (message.method === 'Debugger.paused') this.#paused(message.params as Paused);
  }
}

/** Counted from zero, as the protocol has it; the source's line from one. */
function generatedLine(script: URL, map: SourceMap, line: number): number {
  const text = readFileSync(script, 'utf8').split('\n');
  const found = text.findIndex((code, at) => {
    const entry = map.findEntry(at, code.length - code.trimStart().length);
    return 'originalLine' in entry && entry.originalLine === line - 1 && entry.generatedLine === at;
  });
  if (found === -1) throw new Error(`nothing of ${script.pathname} was made of line ${line}`);
  return found;
}
