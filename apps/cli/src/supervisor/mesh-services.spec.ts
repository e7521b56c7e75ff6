import { SERVICE_NAMES } from '@devmesh/contracts/services';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  inheritedEnvironment,
  meshServices,
  parseInspectorBase,
  parseInstances,
  withInspectors,
} from './mesh-services.js';

let clone: string;
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'devmesh-clone-'));
  for (const name of SERVICE_NAMES) {
    mkdirSync(join(clone, 'apps', name, 'dist'), { recursive: true });
    writeFileSync(join(clone, 'apps', name, 'dist/main.js'), '');
  }
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

describe('the processes of a mesh', () => {
  it('are the nine, and further instances behind them, at ports of their own', () => {
    const specs = meshServices(clone, 9000, undefined, parseInstances('code-review=3, orchestrator=2'));
    expect(specs.slice(0, 9).map(({ name }) => name)).toEqual([...SERVICE_NAMES]);
    expect(specs.slice(9).map(({ name, service, port }) => [name, service, port])).toEqual([
      ['orchestrator-2', 'orchestrator', 9009],
      ['code-review-2', 'code-review', 9010],
      ['code-review-3', 'code-review', 9011],
    ]);
    expect(new Set(specs.map(({ port }) => port)).size).toBe(12);
  });

  it.each([
    ['reviewer=2', /the service is one of .*code-review/],
    ['gateway=2', /the service is one of/],
    ['code-review', /a number from 1 to 8/],
    ['code-review=0', /a number from 1 to 8/],
    ['code-review=9', /a number from 1 to 8/],
  ])('are refused as "%s"', (text, why) => {
    expect(() => parseInstances(text)).toThrow(why);
  });

  it('have inspectors where asked for, further instances too, and never beyond this machine', () => {
    const plain = meshServices(clone, 9000, undefined, parseInstances('code-review=2'));
    expect(plain.flatMap(({ args }) => args.filter((arg) => arg.includes('--inspect')))).toEqual([]);
    const specs = withInspectors(plain, 9300);
    expect(specs.map(({ inspectorPort }) => inspectorPort)).toEqual(Array.from({ length: 10 }, (_, i) => 9300 + i));
    expect(specs.map(({ args }) => args[0])).toEqual(specs.map((_, i) => `--inspect=127.0.0.1:${9300 + i}`));
    expect(specs.map(({ args }) => args.slice(1))).toEqual(plain.map(({ args }) => args));
    // What a service starts must not want the same port.
    expect(inheritedEnvironment({ DEVMESH_INSPECT: '9300' })).toEqual({});
  });

  it.each(['80', '65500', 'nine', '', '9230.5'])('get no inspectors at "%s"', (text) => {
    expect(() => parseInspectorBase(text)).toThrow(/the first of the inspector ports is a number from 1024 to/);
  });
});
