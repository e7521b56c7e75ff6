import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredEvent } from '@devmesh/contracts/event';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import type { Devmesh } from '../support/devmesh.js';

const SEARCH = `
name: search
finish: false
steps:
  - { id: look, action: rag-context/index }
  - { id: find, needs: look, action: rag-context/search, with: { index: "\${{ steps.look.output.index }}", query: token } }
`;
/** Its agent is handed an index that nobody has. */
const FAILS = `
name: fails
finish: false
steps:
  - id: find
    action: rag-context/search
    with: { index: { digest: "${'0'.repeat(64)}", name: none, mediaType: application/json, size: 1 }, query: token }
`;
const ASKS = `
name: asks
finish: false
steps:
  - { id: consent, approval: { title: "Is it fine?" } }
`;

export interface LoadedRun {
  readonly view: RunView;
  readonly events: readonly StoredEvent[];
}

/** What was done on a mesh, in numbers that its metrics must show. */
export class Load {
  /** Runs that ended; one more waits for an approval. */
  readonly ended: LoadedRun[] = [];
  submitted = 0;

  private readonly devmesh: Devmesh;

  private constructor(devmesh: Devmesh) {
    this.devmesh = devmesh;
  }

  /** Runs that pass, are rejected, fail and are cancelled, and one that is left asking. */
  static async on(devmesh: Devmesh): Promise<Load> {
    const load = new Load(devmesh);
    const repository = makeRepository([
      ['package.json', '{ "name": "small", "main": "src/token.ts" }\n'],
      ['src/token.ts', 'export const token = (): string => Math.random().toString(36).slice(2);\n'],
    ]);
    try {
      await load.run(repository, 'deliver');
      for (let times = 0; times < 2; times++) await load.run(repository, 'review');
      await load.run(repository, load.file('search', SEARCH));
      await load.run(repository, load.file('fails', FAILS));
      const asks = load.file('asks', ASKS);
      const cancelled = await load.detached(repository, asks);
      await devmesh.asked(cancelled);
      await devmesh.run(['cancel', cancelled]);
      await load.seen(cancelled);
      await devmesh.asked(await load.detached(repository, asks));
    } finally {
      removeAll(repository);
    }
    return load;
  }

  get durations(): number[] {
    return this.ended.map(({ view }) => (Date.parse(view.endedAt ?? '') - Date.parse(view.createdAt)) / 1000);
  }

  verdicts(verdict: string): number {
    return this.ended.filter(({ view }) => view.verdict === verdict).length;
  }

  /** Executions by what `key` says of agent, action and outcome. */
  executions(key: (one: { agent: string; action: string; outcome: string }) => string): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { events } of this.ended) {
      const actions = new Map(
        events.flatMap(({ event }) => (event.type === 'StepScheduled' ? [[event.key, event.action]] : [])),
      );
      for (const { event } of events) {
        if (event.type !== 'StepCompleted') continue;
        const action = actions.get(event.key) ?? '';
        const name = key({ agent: action.split('/')[0] ?? '', action, outcome: event.outcome.kind });
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** Findings of all reviews by severity. */
  get findings(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { events } of this.ended)
      for (const { event } of events) {
        if (event.type !== 'StepCompleted' || event.outcome.kind !== 'succeeded') continue;
        const found = event.outcome.output['counts'];
        if (found === undefined) continue;
        for (const [severity, count] of Object.entries(found as Record<string, number>))
          counts.set(severity, (counts.get(severity) ?? 0) + count);
      }
    return counts;
  }

  private file(name: string, source: string): string {
    const path = join(this.devmesh.folder, `${name}.yaml`);
    writeFileSync(path, source);
    return path;
  }

  private async run(repository: string, workflow: string): Promise<void> {
    this.submitted += 1;
    const said = await this.devmesh.json<{ run?: RunView }>(['run', '--repo', repository, '--workflow', workflow]);
    if (said.data.run === undefined) throw new Error(`the run was not handed back: ${JSON.stringify(said)}`);
    await this.seen(said.data.run.id);
  }

  private async detached(repository: string, workflow: string): Promise<string> {
    this.submitted += 1;
    const args = ['run', '--repo', repository, '--workflow', workflow, '--detach'];
    return (await this.devmesh.json<{ run: RunView }>(args)).data.run.id;
  }

  private async seen(run: string): Promise<void> {
    const view = await this.devmesh.until<RunView>(`/v1/runs/${run}`, ({ status }) => status === 'ended');
    const asked = await this.devmesh.request(`/v1/runs/${run}/events`, { headers: { accept: 'application/json' } });
    const { events } = (await asked.json()) as { events: StoredEvent[] };
    this.ended.push({ view, events });
  }
}
