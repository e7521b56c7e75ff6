import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith, NOT_TO_BE_HAD, programPath } from '@devmesh/testing/peers';
import { describe, expect, test } from 'vitest';
import { root } from '../check/command.ts';
import { run } from './testing/programs.ts';

const folder = join(root, 'deploy');
const noSystemd = programPath('systemd-analyze') === undefined;
const scripts = readdirSync(folder).filter((name) => name.endsWith('.sh'));

describeWith(['shellcheck'], 'shellcheck', () => {
  test.each(scripts)('finds nothing in %s', async (name) => {
    expect(await run('shellcheck', [join(folder, name)])).toEqual({ code: 0, text: '' });
  });
});

describeWith(['actionlint'], 'actionlint', () => {
  test('finds nothing in the pipeline, nor shellcheck in its commands', async () => {
    expect(await run('actionlint', ['-no-color'])).toEqual({ code: 0, text: '' });
  });
});

describe.skipIf(noSystemd)(`systemd${noSystemd ? ` (systemd-analyze ${NOT_TO_BE_HAD})` : ''}`, () => {
  test('understands each unit', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'devmesh-units-'));
    const units = readdirSync(join(folder, 'systemd'));
    // Programs and units of the machine that they are for are not on this one.
    const program = join(copy, 'program');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o755);
    writeFileSync(join(copy, 'docker.service'), `[Service]\nExecStart=${program}\n`);
    for (const name of units)
      writeFileSync(
        join(copy, name),
        readFileSync(join(folder, 'systemd', name), 'utf8').replace(
          /^(Exec\w+=)(?:\/opt|\/usr)\/\S+/gm,
          `$1${program}`,
        ),
      );
    const { text } = await run('systemd-analyze', ['verify', '--man=no', ...units.map((name) => join(copy, name))], {
      env: { SYSTEMD_UNIT_PATH: `${copy}:` },
    });
    rmSync(copy, { recursive: true });
    expect(text.split('\n').filter((line) => units.some((name) => line.includes(name)))).toEqual([]);
  });
});

describe('preparing a droplet', () => {
  test('makes folders and secrets once, with what root needs stood in for', async () => {
    const place = mkdtempSync(join(tmpdir(), 'devmesh-prepare-'));
    const home = join(place, 'opt');
    mkdirSync(join(place, 'bin'));
    for (const name of ['systemctl', 'chown']) {
      writeFileSync(join(place, 'bin', name), `#!/bin/sh\necho "${name} $*" >>"${place}/calls"\n`);
      chmodSync(join(place, 'bin', name), 0o755);
    }
    writeFileSync(join(place, 'droplet.env'), 'VOLUME_NAME=""\nIMAGE_REGISTRY="registry.example.org/devmesh"\n');
    const prepare = (): ReturnType<typeof run> =>
      run(join(folder, 'prepare-droplet.sh'), [], {
        env: {
          PATH: `${join(place, 'bin')}:${process.env['PATH'] ?? ''}`,
          DEVMESH_DROPLET_ENV: join(place, 'droplet.env'),
          DEVMESH_DEPLOY_HOME: home,
        },
      });
    expect(await prepare()).toMatchObject({ code: 0, text: expect.stringContaining('no release yet') });
    const secrets = (): string[] =>
      readdirSync(join(home, 'shared/secrets')).map(
        (name) => `${name} ${readFileSync(join(home, 'shared/secrets', name), 'utf8')}`,
      );
    const made = secrets();
    expect(made.length).toBeGreaterThan(2);
    // The last is for people to fill, where a store of backups wants one.
    for (const one of made)
      expect(one).toMatch(/^([a-z-]+ [0-9a-f]{64}\n|api-key dm_[0-9a-f]{64}\n|s3-secret-access-key )$/);
    expect(readFileSync(join(home, 'shared/.env'), 'utf8')).toContain('IMAGE_REGISTRY=registry.example.org/devmesh\n');
    expect((await prepare()).code).toBe(0);
    expect(secrets()).toEqual(made);
    expect(readFileSync(join(place, 'calls'), 'utf8')).toContain('systemctl enable devmesh-compose.service');
    expect(existsSync(join(home, 'current'))).toBe(false);
    mkdirSync(join(home, 'current'));
    cpSync(join(place, 'droplet.env'), join(place, 'again'));
    await prepare();
    expect(readFileSync(join(place, 'calls'), 'utf8')).toContain('systemctl start devmesh-compose.service');
    rmSync(place, { recursive: true });
  });
});
