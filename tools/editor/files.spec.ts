import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_INSPECTOR_BASE, SERVICE_NAMES, SERVICES } from '@devmesh/contracts/services';
import { describe, expect, it } from 'vitest';
import { root } from '../check/command.ts';
import { editorFiles } from './files.ts';

interface Launch {
  readonly configurations: readonly {
    readonly name: string;
    readonly program?: string;
    readonly preLaunchTask?: string;
  }[];
  readonly compounds: readonly {
    readonly name: string;
    readonly configurations: string[];
    readonly preLaunchTask?: string;
  }[];
}

const files = editorFiles();
const parse = (path: string): unknown => JSON.parse((files.get(path) ?? '').replace(/^\/\/.*\n/, ''));
const { configurations, compounds } = parse('.vscode/launch.json') as Launch;
const { tasks } = parse('.vscode/tasks.json') as { tasks: { label: string; command: string }[] };

describe('the files for editors', () => {
  it('are committed as they are generated: node tools/editor/main.ts', () => {
    const there = ['.vscode', '.devcontainer'].flatMap((folder) =>
      readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
    );
    expect(there.toSorted()).toEqual([...files.keys()].toSorted());
    for (const [path, text] of files) expect(readFileSync(join(root, path), 'utf8'), path).toBe(text);
  });

  it.each(SERVICE_NAMES)('start %s, attach to it in the mesh and in a container', (name) => {
    const names = configurations.map((each) => each.name);
    expect(names).toEqual(expect.arrayContaining([`start: ${name}`, `attach: ${name}`, `container: ${name}`]));
  });

  it('have the ports that docs/vscode-remote.md tells', () => {
    const rows = readFileSync(join(root, 'docs/vscode-remote.md'), 'utf8').matchAll(
      /^\| ([a-z-]+) +\| (\d+) \| (\d+) +\|$/gm,
    );
    expect(Array.from(rows, ([, name, port, inspector]) => [name, Number(port), Number(inspector)])).toEqual(
      SERVICE_NAMES.map((name, i) => [name, SERVICES[name].port, DEFAULT_INSPECTOR_BASE + i]),
    );
  });

  it('lead the assistant to the gateway, with a key that is asked for', () => {
    const { inputs, servers } = parse('.vscode/mcp.json') as {
      inputs: { id: string; password: boolean }[];
      servers: { devmesh: { url: string; headers: Record<string, string> } };
    };
    expect(servers.devmesh.url).toBe(`http://127.0.0.1:${SERVICES.gateway.port}/mcp`);
    expect(servers.devmesh.headers).toEqual({ Authorization: 'Bearer ${input:devmesh-key}' });
    expect(inputs).toMatchObject([{ id: 'devmesh-key', password: true }]);
  });

  it('name only configurations, tasks and programs that there are', () => {
    const names = configurations.map(({ name }) => name);
    expect(compounds.flatMap((compound) => compound.configurations).filter((name) => !names.includes(name))).toEqual(
      [],
    );
    const wanted = [...configurations, ...compounds].flatMap(({ preLaunchTask }) => preLaunchTask ?? []);
    expect(wanted.filter((task) => !tasks.some(({ label }) => label === task))).toEqual([]);
    const programs = tasks.map(({ command }) => command.split(' ')[0] ?? '');
    expect(programs.filter((program) => !existsSync(join(root, program)))).toEqual([]);
    const sources = configurations.flatMap(({ program }) =>
      program === undefined
        ? []
        : [program.replace('${workspaceFolder}/', '').replace('/dist/main.js', '/src/main.ts')],
    );
    expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
  });
});
