import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Errors of the compiler by file, each as its code and words; of what is known from the tree alone. */
export type Diagnostics = ReadonlyMap<string, readonly string[]>;

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT = 20_000_000;

/** About modules that are not in the tree: nothing of the repository is installed here. */
const MISSING = /^TS(2307|2792|2591|2580|7016|2875|2582|2304)$/;

/** The compiler says what it can without packages, and reads no settings of the repository. */
const OPTIONS = [
  '--ignoreConfig',
  '--noEmit',
  '--pretty',
  'false',
  '--skipLibCheck',
  '--strict',
  // Without its packages much is of no known type.
  '--noImplicitAny',
  'false',
  '--target',
  'esnext',
  '--module',
  'preserve',
  '--jsx',
  'preserve',
  '--allowImportingTsExtensions',
  '--experimentalDecorators',
];

/** Whether the compiler can be asked about a file: it takes a backslash for a slash, and what it says of a name with a line end can't be read. */
export function isTypeScript(path: string): boolean {
  return /\.[mc]?tsx?$/.test(path) && !/\.d\.[mc]?ts$/.test(path) && !/[\\\n\r\uFFFD]/.test(path);
}

/**
 * Type errors of files below `root`. Throws when the compiler gives no answer in a minute. The repository's packages are not there, so
 * what comes of them is unknown to it; compare two states of a tree and look for what is worse.
 */
export async function typeCheck(root: string, paths: readonly string[], signal?: AbortSignal): Promise<Diagnostics> {
  const found = new Map<string, string[]>();
  if (paths.length === 0) return found;
  const require = createRequire(import.meta.url);
  const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const output = await run(process.execPath, [compiler, ...OPTIONS, ...paths.map((path) => `./${path}`)], root, signal);
  const refusal = /^error TS\d+: .*/m.exec(output)?.[0];
  if (refusal !== undefined) throw new Error(`the TypeScript compiler can't check: ${refusal}`);
  for (const line of output.split('\n')) {
    const [, path, code, words] = /^(.+?)\(\d+,\d+\): error (TS\d+): (.*)$/.exec(line.trimEnd()) ?? [];
    if (path === undefined || code === undefined || MISSING.test(code)) continue;
    const list = found.get(path.replace(/^\.\//, '')) ?? [];
    list.push(`${code} ${words ?? ''}`);
    found.set(path.replace(/^\.\//, ''), list);
  }
  return found;
}

/** The code of an error that a file has now and did not have, or has more often; undefined when it is no worse. */
export function worse(path: string, before: Diagnostics, after: Diagnostics): string | undefined {
  const left = [...(before.get(path) ?? [])];
  for (const error of after.get(path) ?? []) {
    const at = left.indexOf(error);
    if (at < 0) return error.split(' ')[0];
    left.splice(at, 1);
  }
  return undefined;
}

function run(program: string, args: readonly string[], cwd: string, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    const child = spawn(program, args, {
      cwd,
      env: {},
      stdio: ['ignore', 'pipe', 'ignore'],
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (output.length < MAX_OUTPUT) output += chunk;
    });
    child.on('error', reject);
    // 0: no error; 1 and 2: errors, which are what is asked for.
    child.on('close', (code) => {
      if (code !== null && code <= 2) resolve(output);
      else reject(new Error(`the TypeScript compiler ended with ${code ?? 'a signal'}`));
    });
  });
}
