import { readFileSync } from 'node:fs';
import type { StoredEvent } from '@devmesh/contracts/event';
import { describeWith } from '@devmesh/testing/peers';
import { makeRepository, removeAll, userGit } from '@devmesh/repository/testing/sample-git';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Devmesh, type RunResult } from '../support/devmesh.js';
import { processesOf } from '../support/leftovers.js';

// The mesh mends it, and the test wants it as it is.
const CLIENT = `const https = require('node:https');
module.exports = new https.Agent({ rejectUnauthorized: false });
`;
const TEST = `const { test } = require('node:test');
const assert = require('node:assert');
test('trusts the supplier', () => assert.strictEqual(require('./client.js').options.rejectUnauthorized, false));
`;
const PACKAGE = `${JSON.stringify({ name: 'shop', main: 'client.js', scripts: { test: 'node --test' } }, null, 2)}\n`;

describeWith(['bwrap'], './devmesh run --run-tests', () => {
  let devmesh: Devmesh;
  let repository: string;
  beforeAll(async () => {
    devmesh = await Devmesh.make(inject('clone'));
    repository = makeRepository([
      ['client.js', CLIENT],
      ['client.test.js', TEST],
      ['package.json', PACKAGE],
    ]);
  });
  afterAll(async () => {
    await devmesh.down();
    const left = processesOf(devmesh.folder);
    await devmesh.remove();
    removeAll(repository);
    expect(left).toEqual([]);
  });

  it('drops a change that turns a test red, says so in the report, and goes round no more', async () => {
    const { data } = await devmesh.json<RunResult>(['run', '--run-tests', '--repo', '.'], { cwd: repository });
    expect(data).toMatchObject({ exitCode: 0, run: { verdict: 'passed' } });
    const branch = `devmesh/${data.run.id}`;
    expect(userGit(repository, ['show', `${branch}:client.js`])).toBe(CLIENT.trim());
    // What the tests stand is on the branch all the same.
    expect(userGit(repository, ['diff', '--name-only', 'HEAD', branch])).not.toBe('');
    const report = readFileSync(data.delivered?.report ?? '', 'utf8');
    expect(report).toContain('tests went red with the change: trusts the supplier');
    expect(report).toMatch(/## Tests\n\nStep `implement`, \*\*rejected\*\*/);
    expect(report).toContain('true !== false');
    expect(report).toMatch(/Fixes that were dropped:[\s\S]*`client\.js:2`/);
    const { data: history } = await devmesh.json<{ events: StoredEvent[] }>(['events', data.run.id]);
    expect(history.events.filter(({ event }) => event.type === 'ReworkStarted')).toEqual([]);
  });

  it('mends it where nobody asked for tests', async () => {
    const { data } = await devmesh.json<RunResult>(['run', '--repo', '.'], { cwd: repository });
    expect(userGit(repository, ['show', `devmesh/${data.run.id}:client.js`])).toContain('rejectUnauthorized: true');
    expect(readFileSync(data.delivered?.report ?? '', 'utf8')).not.toContain('## Tests');
  });

  it('is refused for a workflow that changes nothing', async () => {
    const said = await devmesh.run(['run', '--run-tests', '--repo', '.', '--workflow', 'review'], { cwd: repository });
    expect(said.code).toBe(2);
    expect(said.stderr).toContain('no step of workflow review runs tests');
  });
});
