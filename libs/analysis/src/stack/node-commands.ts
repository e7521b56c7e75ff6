import { evidence, fact, type Fact } from './evidence.js';
import type { NodeManifest } from './node-manifest.js';

/** What `npm init` writes where there are no tests. */
const NO_TESTS = /no test specified/;

export function isPresentScript(manifest: NodeManifest, name: string): boolean {
  const script = manifest.scripts.get(name);
  return script !== undefined && script.command.trim() !== '' && !NO_TESTS.test(script.command);
}

/** The commands that people run, from the scripts of the manifest. */
export function nodeCommands(
  manifest: NodeManifest,
  packageManager: string,
): Record<'buildCommand' | 'startCommand' | 'testCommand' | 'lintCommand', Fact | undefined> {
  const [path = ''] = manifest.paths;
  const command = (...names: readonly string[]): Fact | undefined => {
    const name = names.find((one) => isPresentScript(manifest, one));
    const script = name === undefined ? undefined : manifest.scripts.get(name);
    if (name === undefined || !script) return undefined;
    return fact(`${packageManager} run ${name}`, evidence(path, `"${name}": "${script.command}"`, script.line));
  };
  return {
    buildCommand: command('build'),
    startCommand: command('start:prod', 'start'),
    testCommand: command('test', 'test:unit'),
    lintCommand: command('lint', 'lint:check'),
  };
}
