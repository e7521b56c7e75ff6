import { startPostgres, type PostgresServer } from '@devmesh/testing/postgres';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Devmesh, type RunResult } from './support/devmesh.js';

let server: PostgresServer;
let devmesh: Devmesh;
let repository: string;

beforeAll(async () => {
  server = await startPostgres();
  devmesh = await Devmesh.make(inject('clone'), { DATABASE_URL: server.url });
});

afterAll(async () => {
  await devmesh.remove();
  removeAll(repository);
  await server.stop();
});

describe('a PostgreSQL of the user', () => {
  it('holds the mesh, which starts none of its own, and keeps what it holds when the mesh goes', async () => {
    repository = makeRepository([
      ['package.json', '{ "name": "small", "main": "src/token.ts" }\n'],
      ['src/token.ts', 'export const one = 1;\n'],
    ]);
    const { data } = await devmesh.json<RunResult>(['run', '--json', '--workflow', 'review', '--repo', repository]);
    expect(data.run.verdict).toBe('passed');
    const status = await devmesh.run(['status']);
    expect(status.stdout).toMatch(/^postgres \(yours\)\s+● ready/m);
    await devmesh.down();
    expect(server.pid()).not.toBeNull();
    const runs = await devmesh.run(['up']).then(() => devmesh.run(['runs']));
    expect(runs.stdout).toContain(data.run.id.slice(-8));
  });
});
