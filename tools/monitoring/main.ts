import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { monitoringFiles } from './files.ts';
import { readSite } from './site.ts';

/*
 * node tools/monitoring/main.ts     writes all that is generated below monitoring/, from the services, their metrics and
 *                                   monitoring/site.yaml
 */
const folder = fileURLToPath(new URL('../../monitoring', import.meta.url));
for (const [path, text] of monitoringFiles(readSite(join(folder, 'site.yaml')))) {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  if (path.endsWith('.sh')) chmodSync(file, 0o755);
  process.stdout.write(`${path}\n`);
}
