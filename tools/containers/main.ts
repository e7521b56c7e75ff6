import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../check/command.ts';
import { containerFiles } from './files.ts';

/*
 * node tools/containers/main.ts     writes deploy/docker/Dockerfile and what is generated below compose/, from the services
 */
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  devDependencies: { pnpm: string };
};
for (const [path, text] of containerFiles(devDependencies.pnpm)) {
  writeFileSync(join(root, path), text);
  process.stdout.write(`${path}\n`);
}
