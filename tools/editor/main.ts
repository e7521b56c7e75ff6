import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../check/command.ts';
import { editorFiles } from './files.ts';

/*
 * node tools/editor/main.ts     writes .vscode/ and .devcontainer/, from the services and their ports
 */
for (const [path, text] of editorFiles()) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  process.stdout.write(`${path}\n`);
}
