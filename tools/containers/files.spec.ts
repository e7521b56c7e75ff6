import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICE_NAMES, SERVICES } from '@devmesh/contracts/services';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from '../check/command.ts';
import { VARIABLES } from './compose.ts';
import { containerFiles } from './files.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: { pnpm: string } };
const files = containerFiles(devDependencies.pnpm);

interface Compose {
  readonly services: Record<
    string,
    {
      readonly environment?: Record<string, string>;
      readonly secrets?: readonly string[];
      readonly read_only?: boolean;
      readonly deploy?: { readonly resources: { readonly limits: object } };
      readonly logging?: { readonly options: object };
      readonly ports?: readonly string[];
    }
  >;
  readonly secrets: Record<string, unknown>;
}
const base = parse(files.get('compose/docker-compose.yml') ?? '') as Compose;

describe('images and compose files', () => {
  it('are committed as they are generated: node tools/containers/main.ts', () => {
    for (const [path, text] of files) expect(read(path), path).toBe(text);
  });

  it('have a stage and a service for each of the nine', () => {
    const dockerfile = files.get('deploy/docker/Dockerfile') ?? '';
    for (const name of SERVICE_NAMES) {
      expect(dockerfile).toContain(`FROM runtime AS ${name}\n`);
      expect(dockerfile).toContain(`EXPOSE ${SERVICES[name].port}\n`);
      expect(Object.keys(base.services)).toContain(name);
    }
  });

  it('know every variable that they read', () => {
    const names = new Set(VARIABLES.map(({ name }) => name));
    for (const [path, text] of files) {
      if (!path.startsWith('compose/docker-compose')) continue;
      for (const [, name = ''] of text.matchAll(/(?<!\$)\$\{(\w+)/g)) expect(names, path).toContain(name);
    }
  });

  it('bound memory, processor and logs of everything, and publish to loopback alone', () => {
    for (const [name, service] of Object.entries(base.services)) {
      expect(service.deploy?.resources.limits, name).toMatchObject({
        memory: expect.stringMatching(/M$/) as string,
        cpus: expect.any(String) as string,
      });
      expect(service.logging?.options, name).toMatchObject({ 'max-size': '10m' });
      for (const port of service.ports ?? []) expect(port, name).toMatch(/^127\.0\.0\.1:/);
    }
  });

  it('give secrets as files, and to those alone who need them', () => {
    for (const [name, service] of Object.entries(base.services)) {
      for (const [variable, value] of Object.entries(service.environment ?? {}))
        if (/TOKEN|PASSWORD|KEY(?!_ID)/.test(variable))
          expect(value, `${name} ${variable}`).toMatch(/^\/run\/secrets\//);
    }
    const holders = (secret: string): string[] =>
      Object.entries(base.services).flatMap(([name, { secrets }]) =>
        secrets?.includes(secret) === true ? [name] : [],
      );
    expect(holders('postgres-password')).toEqual(['state-persistence', 'postgres']);
    expect(holders('queue-password')).toEqual(['orchestrator', 'valkey']);
    expect(holders('api-key')).toEqual(['state-persistence', 'grafana']);
    expect(holders('internal-token')).toEqual([...SERVICE_NAMES]);
  });

  it.each(['compose/make-secrets.sh', 'deploy/prepare-droplet.sh'])('have every secret made by %s', (script) => {
    for (const secret of Object.keys(base.secrets)) expect(read(script)).toMatch(new RegExp(`[ /"]${secret}[ ;"\\n]`));
  });
});
