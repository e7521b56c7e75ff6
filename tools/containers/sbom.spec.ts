import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { SERVICE_NAMES } from '@devmesh/contracts/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../check/command.ts';
import { SBOM_VERSION, sbomArguments, sbomFile } from './sbom.ts';

interface Bom {
  readonly metadata: { readonly component: { readonly purl: string } };
  readonly components: readonly {
    readonly name: string;
    readonly group?: string;
    readonly version: string;
    readonly licenses?: readonly unknown[];
    readonly externalReferences?: readonly { readonly hashes?: readonly { readonly alg: string }[] }[];
  }[];
}

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
const pnpm = (...args: string[]): string =>
  execFileSync(join(root, 'node_modules/.bin/pnpm'), args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });

describe('the bill of materials', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'devmesh-sbom-'));
    pnpm(...sbomArguments(folder));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const textOf = (service: string): string => readFileSync(join(folder, sbomFile(service)), 'utf8');
  const namesOf = ({ components }: Bom): Set<string> =>
    new Set(components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`)));

  it('is written of each of the nine', () => {
    expect(readdirSync(folder).toSorted()).toEqual(SERVICE_NAMES.map(sbomFile).toSorted());
  });

  it.each(SERVICE_NAMES)(
    'of %s is valid, has all that it needs to run and nothing that only makes it',
    async (service) => {
      const text = textOf(service);
      expect(await validator.validate(text)).toBeNull();
      const bom = JSON.parse(text) as Bom & { readonly specVersion: string };
      expect(bom.specVersion).toBe(SBOM_VERSION);
      expect(bom.metadata.component.purl).toMatch(new RegExp(`^pkg:npm/%40devmesh/${service}@`));
      const names = namesOf(bom);
      const { dependencies } = JSON.parse(readFileSync(join(root, 'apps', service, 'package.json'), 'utf8')) as {
        dependencies: Record<string, string>;
      };
      for (const name of Object.keys(dependencies)) expect(names).toContain(name);
      for (const name of ['vitest', 'prettier', 'oxlint']) expect(names).not.toContain(name);
      const foreign = bom.components.filter(({ group }) => group !== '@devmesh');
      const unproved = foreign.filter(
        ({ externalReferences = [] }) =>
          !externalReferences.some(({ hashes = [] }) => hashes.some(({ alg }) => alg === 'SHA-512')),
      );
      expect(unproved.map(({ name }) => name)).toEqual([]);
    },
  );

  it('is not valid when something is missing from it', async () => {
    const bom = JSON.parse(textOf('gateway')) as { components: Record<string, unknown>[] };
    delete bom.components[0]?.['name'];
    expect(await validator.validate(JSON.stringify(bom))).not.toBeNull();
  });

  it('of the workspace is valid, and has what makes it too', async () => {
    const text = pnpm('sbom', '--sbom-format', 'cyclonedx', '--sbom-spec-version', SBOM_VERSION);
    expect(await validator.validate(text)).toBeNull();
    expect(namesOf(JSON.parse(text) as Bom)).toContain('vitest');
  });
});
