import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
}

/** One small request to an address of this machine. Rejects when nobody answers in time. */
export async function ask(url: string, { method = 'GET', headers = {}, body, timeoutMs }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers, agent: false, timeout: timeoutMs }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      answer.once('error', reject);
    });
    call.once('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.once('error', reject);
    call.end(body);
  });
}

/** Asks until the answer is 200; ends early only by the signal. */
export async function untilReady(url: string, signal: AbortSignal, everyMs = 100): Promise<void> {
  while (!signal.aborted) {
    const ready = await ask(url, { timeoutMs: 2_000 }).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error('ended before it was ready');
}
