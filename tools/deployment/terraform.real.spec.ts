import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '@devmesh/testing/peers';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../check/command.ts';
import { run, type Said } from './testing/programs.ts';

const folder = join(root, 'terraform');
const made: string[] = [];
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

function scratch(): string {
  const path = mkdtempSync(join(tmpdir(), 'devmesh-terraform-'));
  made.push(path);
  return path;
}

const tofu = (cwd: string, ...args: string[]): Promise<Said> =>
  run('tofu', args, { cwd, env: { TF_CLI_CONFIG_FILE: '/dev/null', TF_IN_AUTOMATION: '1', CHECKPOINT_DISABLE: '1' } });

describeWith(['tofu'], 'OpenTofu', () => {
  test('finds it formatted', async () => {
    expect(await tofu(folder, 'fmt', '-check', '-diff', '-recursive')).toEqual({ code: 0, text: '' });
  });

  test('parses it, and knows what it needs', async () => {
    const copy = scratch();
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.tf')))
      // Without its store of state, which is nowhere to be found here.
      writeFileSync(join(copy, name), readFileSync(join(folder, name), 'utf8').replace(/^ *backend .*$/m, ''));
    const { code, text } = await tofu(copy, 'providers');
    expect(text).toContain('digitalocean/digitalocean] ~> 2.');
    expect(code).toBe(0);
  });

  const key = `ssh_public_keys={me="ssh-ed25519 AAAA me@example.org"}`;
  const admin = 'admin_addresses=["203.0.113.7/32"]';
  const good = [key, admin];
  test.for([
    ['takes what is good', good, null],
    ['wants keys', ['ssh_public_keys={}', admin], 'Without a key nobody could reach the droplet'],
    ['knows a key', ['ssh_public_keys={me="secret"}', admin], 'public key of OpenSSH'],
    ['keeps port 22 from the whole internet', [key, 'admin_addresses=["0.0.0.0/0"]'], 'not for the whole internet'],
    ['knows an address', [key, 'admin_addresses=["my house"]'], 'CIDR notation'],
    ['wants another region for the copy', [...good, 'region=ams3'], 'in another region'],
    ['knows environments', [...good, 'environment=test'], 'staging or production'],
    ['knows a revision', [...good, 'revision=main'], '40 hexadecimal digits'],
    ['wants no credentials', [...good, 'repository_url=https://me:pw@example.org/x.git'], 'without user and password'],
    ['knows names', [...good, 'name=No Name'], 'lower-case letters'],
    ['knows sizes', [...good, 'volume_size=1'], '10 to 16384 GiB'],
    ['knows tiers', [...good, 'registry_tier=free'], 'starter, basic or professional'],
  ] as const)('a variable: %s', async ([, variables, said]) => {
    const copy = scratch();
    cpSync(join(folder, 'variables.tf'), join(copy, 'variables.tf'));
    const { code, text } = await tofu(
      copy,
      'plan',
      '-no-color',
      '-input=false',
      ...variables.map((one) => `-var=${one}`),
    );
    expect(text.replace(/\s*\n\W*/g, ' ')).toContain(said ?? 'No changes');
    expect(code).toBe(said === null ? 0 : 1);
  });

  test('renders a cloud-init that installs Docker, keeps others out and holds no secret', async () => {
    const copy = scratch();
    const unit = join(root, 'deploy/systemd/devmesh-compose.service');
    const script = join(root, 'deploy/prepare-droplet.sh');
    const quoted = JSON.stringify;
    writeFileSync(
      join(copy, 'main.tf'),
      `output "it" {
        value = templatefile(${quoted(join(folder, 'cloud-init.yaml.tftpl'))}, {
          ssh_public_keys = ["ssh-ed25519 AAAA me\\n"]
          prepare_script = file(${quoted(script)})
          compose_unit = file(${quoted(unit)})
          settings = { VOLUME_NAME = "the volume", REVISION = "" }
        })
      }`,
    );
    expect((await tofu(copy, 'apply', '-auto-approve', '-no-color')).code).toBe(0);
    const { text } = await tofu(copy, 'output', '-raw', 'it');
    expect(text.split('\n')[0]).toBe('#cloud-config');
    const config = parse(text) as {
      packages: string[];
      users: { name: string; ssh_authorized_keys: string[] }[];
      write_files: { path: string; content: string; permissions: string }[];
      runcmd: string[][];
    };
    expect(config.packages).toEqual(expect.arrayContaining(['docker.io', 'docker-compose-v2']));
    expect(config.users).toMatchObject([{ name: 'devmesh', ssh_authorized_keys: ['ssh-ed25519 AAAA me'] }]);
    const files = new Map(config.write_files.map((file) => [file.path, file.content]));
    expect(files.get('/usr/local/sbin/prepare-droplet')).toBe(readFileSync(script, 'utf8'));
    expect(files.get('/etc/systemd/system/devmesh-compose.service')).toBe(readFileSync(unit, 'utf8'));
    expect(files.get('/etc/devmesh/droplet.env')).toBe('REVISION=""\nVOLUME_NAME="the volume"\n');
    expect(JSON.parse(files.get('/etc/docker/daemon.json') ?? '')).toMatchObject({ 'live-restore': true });
    expect(files.get('/etc/ssh/sshd_config.d/10-devmesh.conf')).toContain('PermitRootLogin no');
    expect(config.runcmd).toContainEqual(['/usr/local/sbin/prepare-droplet']);
  });
});

describeWith(['checkov'], 'checkov', () => {
  test('finds nothing, and what it is told to pass over says why', async () => {
    const args = ['-d', folder, '--framework', 'terraform', '--skip-download', '--output', 'json'];
    const { code, text } = await run('checkov', args);
    const report = JSON.parse(text.slice(text.indexOf('{'))) as {
      results: {
        failed_checks: unknown[];
        skipped_checks: { check_id: string; check_result: { suppress_comment: string } }[];
      };
      summary: { passed: number; parsing_errors: number };
    };
    expect(report.results.failed_checks).toEqual([]);
    expect(report.summary.parsing_errors).toBe(0);
    expect(report.summary.passed).toBeGreaterThan(3);
    for (const skipped of report.results.skipped_checks)
      expect(skipped.check_result.suppress_comment.length).toBeGreaterThan(20);
    expect(code).toBe(0);
  });
});
