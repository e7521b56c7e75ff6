import { createServer } from 'node:http';
import { Agent, request } from 'undici';

const agent = new Agent({ connections: 256, pipelining: 1 });

const { instance } = await (await fetch(`${process.env.AGENT_URL}/v1/agent`)).json();

/** One step: a call of the agent, by its contract. Each call is an attempt of its own, so that one made again runs again. */
export async function step(run, name, ms = 0) {
  const key = `${run}/${name}/1/${1 + Math.floor(Math.random() * 999_999)}`;
  const { statusCode, body } = await request(`${process.env.AGENT_URL}/v1/executions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json', 'idempotency-key': key, prefer: 'wait=10' },
    body: JSON.stringify({
      key,
      action: ms > 0 ? 'noop/slow' : 'noop/act',
      epoch: 1,
      instance,
      notAfter: Date.now() + 60_000,
      input: ms > 0 ? { ms } : {},
      rework: null,
      acknowledge: [],
    }),
  });
  const reply = await body.json();
  if (statusCode !== 200) throw new Error(`the agent answered ${statusCode}: ${JSON.stringify(reply)}`);
  return reply.outcome;
}

export const FOUR = ['a', 'b', 'c', 'd'];

/** The door of a worker: `POST /run?id=`, which answers when the run has ended; `POST /recover`; `GET /unfinished`. */
export function serve({ run, recover, unfinished }) {
  const server = createServer((incoming, response) => {
    const { pathname, searchParams } = new URL(incoming.url, 'http://worker');
    incoming.resume();
    const work =
      pathname === '/run'
        ? run(searchParams.get('id'), Number(searchParams.get('ms') ?? 0), searchParams.get('shape') ?? 'six')
        : pathname === '/recover'
          ? recover()
          : pathname === '/unfinished'
            ? unfinished()
            : Promise.resolve('up');
    work.then(
      (answer) => response.end(JSON.stringify(answer ?? null)),
      (error) => {
        console.error(error);
        response.writeHead(500).end(String(error));
      },
    );
  });
  server.listen(Number(process.env.PORT), '127.0.0.1');
}
