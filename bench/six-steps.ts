import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BOX_WORKFLOWS } from '@devmesh/testing/mesh-box-workflows';
import type { BenchMesh } from './mesh.ts';

/** The services whose CPU a run is charged with. */
export const FOUR = ['gateway', 'orchestrator', 'state-persistence', 'database'];

/** Tells the mesh of its no-op agent; before it is up. */
export function placeAgent(mesh: BenchMesh): void {
  mesh.env['DEVMESH_PLACEMENT'] = mesh.file(
    'placement.yaml',
    `agents:\n  - name: noop\n    addresses: [${mesh.url(10)}]\n    actions: [{ id: noop/act, default: true }, { id: noop/slow }]\n`,
  );
}

/** Has the mesh export its traces, to a sink that answers at once: what tracing costs it is counted, what a collector costs is not. */
export async function traceTo(mesh: BenchMesh): Promise<Server> {
  const sink = createServer((request, response) => request.resume().on('end', () => response.end('{}')));
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  mesh.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
  return sink;
}

export function postgresPid(mesh: BenchMesh): number | undefined {
  for (const file of [join(mesh.home, 'postgres/postmaster.pid'), join(mesh.home, 'postgres/data/postmaster.pid')]) {
    try {
      return Number(readFileSync(file, 'utf8').split('\n')[0]);
    } catch {
      continue;
    }
  }
  return undefined;
}

export interface AgentPlace {
  readonly port: number;
  /** Gets a line for each execution's body that runs. */
  readonly bodies: string;
  readonly tokenFile: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The no-op agent: agent-kit as shipped, an action that answers at once. */
export function startAgent({ port, bodies, tokenFile, env }: AgentPlace): ChildProcess {
  const main = fileURLToPath(new URL('../libs/testing/dist/test-agent.js', import.meta.url));
  return spawn(process.execPath, [main], {
    env: {
      ...env,
      DEVMESH_PORT: String(port),
      TEST_AGENT_BODIES: bodies,
      DEVMESH_INTERNAL_TOKEN_FILE: tokenFile,
      LOG_LEVEL: 'warn',
    },
    stdio: 'ignore',
  });
}

/** Where the no-op agent of a mesh is, as `placeAgent` has told it. */
export function agentOf(mesh: BenchMesh): AgentPlace {
  return {
    port: mesh.portBase + 10,
    bodies: join(mesh.home, 'bodies'),
    tokenFile: join(mesh.home, 'secrets/internal-token'),
    env: mesh.env,
  };
}

interface RunPage {
  readonly items: readonly {
    readonly id: string;
    readonly status: string;
    readonly verdict: string | null;
    readonly endedAt: string | null;
  }[];
  readonly nextCursor: string | null;
}

/**
 * Submits so many runs with so many at once; gives the time of each from before its submit to its end as the mesh records it, ms. The runs are watched by
 * one poll of the list, so that what is counted is the runs and not their watching.
 */
export async function drive(
  mesh: BenchMesh,
  runs: number,
  atOnce: number,
  source: string = BOX_WORKFLOWS.six,
): Promise<number[]> {
  const latencies: number[] = [];
  const open = new Map<string, { readonly since: number; readonly resolve: () => void }>();
  let left = runs;
  const worker = async () => {
    while (left-- > 0) {
      const since = Date.now();
      const { id } = await mesh.api<{ id: string }>('/v1/runs', { workflow: { source } });
      await new Promise<void>((resolve) => open.set(id, { since, resolve }));
    }
  };
  let done = false;
  const poll = async () => {
    while (!done) {
      await new Promise((resolve) => setTimeout(resolve, atOnce === 1 ? 10 : 50));
      const { items } = await mesh.api<RunPage>(`/v1/runs?limit=${Math.min(200, atOnce * 3)}`);
      // One that so many began after, before anybody looked, is not on the page any more.
      const missing = [...open.keys()].filter((id) => !items.some((item) => item.id === id));
      const passed = await Promise.all(missing.map((id) => mesh.api<RunPage['items'][number]>(`/v1/runs/${id}`)));
      for (const { id, verdict, endedAt } of [...items, ...passed]) {
        const waiting = open.get(id);
        if (!waiting || endedAt === null) continue;
        if (verdict !== 'passed') throw new Error(`run ${id} ended as ${verdict}`);
        open.delete(id);
        latencies.push(Date.parse(endedAt) - waiting.since);
        waiting.resolve();
      }
    }
  };
  const polling = poll();
  await Promise.race([polling, Promise.all(Array.from({ length: atOnce }, worker))]);
  done = true;
  await polling;
  return latencies;
}

export async function answering(address: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const ready = await fetch(`${address}/health/live`)
      .then((response) => response.ok)
      .catch(() => false);
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nobody answers at ${address}`);
}
