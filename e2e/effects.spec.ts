import type { EffectRecord } from '@devmesh/contracts/effect';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { commandLines } from '@devmesh/repository/testing/git-http-server';
import { removeAll } from '@devmesh/repository/testing/sample-git';
import { ScriptedForge } from '@devmesh/testing/scripted-forge';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Devmesh } from './support/devmesh.js';
import { forgeSettings, serveSmallRepository } from './support/forge.js';
import { processesOf } from './support/leftovers.js';

let devmesh: Devmesh;
let repository: string;
const forge = new ScriptedForge();

beforeAll(async () => {
  repository = await serveSmallRepository(forge);
  devmesh = await Devmesh.make(inject('clone'), forgeSettings(forge));
});

afterAll(async () => {
  await devmesh.down();
  const left = processesOf(devmesh.folder);
  await devmesh.remove();
  await forge.stop();
  removeAll(repository);
  expect(left).toEqual([]);
});

it('a run on a remote ends, with consent, as a pushed branch and a pull request; nothing goes out before', async () => {
  const url = forge.readable;
  const { data } = await devmesh.json<{ run: RunView }>([
    'run',
    'Harden the token',
    '--repo',
    url,
    '--workflow',
    'deliver-pr',
    '--detach',
  ]);
  const [approval] = await devmesh.asked(data.run.id);
  expect(approval?.subject).toMatchObject({ action: 'feature-dev/push', input: { remote: forge.remote } });
  expect(forge.effects).toMatchObject({ git: 0, create: 0 });
  await devmesh.run(['approve', approval?.id ?? '', '--yes']);
  const over = await devmesh.json<{ run: RunView }>(['show', data.run.id, '--follow']);
  expect(over.data.run).toMatchObject({ verdict: 'passed' });
  const branch = `devmesh/${data.run.id}`;
  const commit = forge.branch(branch);
  expect(commit).toBe(over.data.run.result?.commit);
  expect(forge.pulls).toMatchObject([{ title: 'Harden the token', head: branch, base: 'main', state: 'open' }]);
  expect(forge.effects).toMatchObject({ git: 1, create: 1, update: 0 });
  const shown = await devmesh.json<{ effects: EffectRecord[] }>(['show', data.run.id]);
  expect(shown.data.effects).toMatchObject([
    { kind: 'push', status: 'done', intent: { branch, commit }, approvalId: approval?.id, claims: 1 },
    { kind: 'pull_request', status: 'done', result: { number: 1 } },
  ]);
  const logs = await devmesh.run(['logs', '-n', '100000']);
  for (const text of [...devmesh.heard, logs.stdout, ...commandLines()]) expect(text).not.toContain(forge.token);
});
