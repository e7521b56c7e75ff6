import { spawn } from 'node:child_process';
import { DevmeshError } from '@devmesh/contracts/errors';
import { inheritedEnvironment } from './config.js';

/** How one git command runs. Every call names its git directory: git never searches for a repository by itself. */
export interface GitCall {
  readonly gitDir: string;
  readonly workTree?: string;
  readonly indexFile?: string;
  /** Written to stdin, which is then closed. */
  readonly input?: Buffer | string;
  /** An open file whose rest (from its current offset) becomes stdin, without passing through this process. */
  readonly inputFd?: number;
  /** In ms; default two minutes. */
  readonly timeoutMs?: number;
  /** Most bytes of stdout that are kept; default 64 MiB. More ends the command. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
  /** Transports that this call may use; none by default. */
  readonly protocols?: readonly string[];
  /** Further settings, strongest of all. They travel in the environment, so they may hold a secret; argv may not. */
  readonly config?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are an answer rather than a failure; default 0 alone. */
  readonly okCodes?: readonly number[];
}

export interface GitResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** git ran and said no. `stderr` is in English (`LC_ALL=C`) and may name paths and URLs: redact before showing those of a clone. */
export class GitFailure extends DevmeshError {
  readonly exitCode: number;
  readonly stderr: string;

  constructor(verb: string, exitCode: number, stderr: string) {
    super(
      'internal',
      `git ${verb} failed with exit code ${exitCode}: ${stderr.trim().slice(0, 2000) || 'it said nothing'}`,
    );
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

const DEFAULT_TIMEOUT_MS = 120_000;
const DEFAULT_MAX_BYTES = 64 * 1024 ** 2;
const MAX_STDERR_BYTES = 64 * 1024;

/** Settings of every call. They beat every file, so that not even a repository of ours could make git run something. */
const HARDENED: Readonly<Record<string, string>> = {
  'advice.detachedHead': 'false',
  // As many as there are cores, where there is enough to check out.
  'checkout.workers': '0',
  'commit.gpgSign': 'false',
  'core.askPass': 'false',
  'core.attributesFile': '/dev/null',
  // Larger files are streamed and not searched for deltas.
  'core.bigFileThreshold': '8m',
  // Caches written by someone else are not trusted: objects are read from packs and loose files alone.
  'core.commitGraph': 'false',
  'core.multiPackIndex': 'false',
  'core.editor': 'false',
  'core.excludesFile': '/dev/null',
  'core.fsmonitor': 'false',
  'core.hooksPath': '/dev/null',
  'core.logAllRefUpdates': 'false',
  'core.pager': 'cat',
  'core.quotePath': 'true',
  'core.safecrlf': 'false',
  'core.splitIndex': 'false',
  'core.untrackedCache': 'false',
  'core.whitespace': '-trailing-space,-space-before-tab,-blank-at-eof',
  'credential.helper': '',
  'gc.auto': '0',
  'log.showSignature': 'false',
  'maintenance.auto': 'false',
  'pack.threads': '2',
  'protocol.ext.allow': 'never',
  'submodule.recurse': 'false',
  'tag.gpgSign': 'false',
};

const live = new Set<number>();
let reaper = false;

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}

function track(pid: number): void {
  if (!reaper) {
    reaper = true;
    process.on('exit', () => live.forEach(killGroup));
  }
  live.add(pid);
}

function environment(call: GitCall): NodeJS.ProcessEnv {
  const network = (call.protocols ?? []).length > 0;
  const env = inheritedEnvironment(network);
  const settings = Object.entries({ ...HARDENED, ...call.config });
  settings.forEach(([key, value], i) => {
    env[`GIT_CONFIG_KEY_${i}`] = key;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  });
  return {
    ...env,
    GIT_CONFIG_COUNT: String(settings.length),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'false',
    SSH_ASKPASS: 'false',
    SSH_ASKPASS_REQUIRE: 'never',
    GIT_SSH_COMMAND: network ? 'ssh -o BatchMode=yes -o ConnectTimeout=20' : 'false',
    GIT_ALLOW_PROTOCOL: network ? (call.protocols ?? []).join(':') : 'none',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_FLUSH: '0',
    GIT_EDITOR: 'false',
    GIT_PAGER: 'cat',
    GIT_TEMPLATE_DIR: '',
    HOME: '/dev/null',
    XDG_CONFIG_HOME: '/dev/null',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_DIR: call.gitDir,
    ...(call.workTree === undefined ? {} : { GIT_WORK_TREE: call.workTree }),
    ...(call.indexFile === undefined ? {} : { GIT_INDEX_FILE: call.indexFile }),
    ...call.env,
  };
}

/**
 * The one way git runs: no shell, an environment built from nothing, nobody to ask, no hook, pager, helper or filter,
 * bounded in time and output, in a process group of its own that dies as a whole.
 *
 * Throws `GitFailure` when git exits with a code that isn't in `okCodes`; `deadline_exceeded`, `execution_cancelled`,
 * `output_too_large`, `storage_full` or `unavailable` (no git on this machine) otherwise.
 */
export async function git(args: readonly string[], call: GitCall): Promise<GitResult> {
  const verb = args[0] ?? '';
  if (call.signal?.aborted) throw new DevmeshError('execution_cancelled', `git ${verb} was cancelled before it began`);
  const timeoutMs = call.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const maxBytes = call.maxBytes ?? DEFAULT_MAX_BYTES;

  return new Promise<GitResult>((resolve, reject) => {
    const child = spawn('git', ['--no-pager', ...args], {
      cwd: call.workTree ?? call.gitDir,
      env: environment(call),
      // A session of its own: no terminal to ask on, and one id to kill git and all its helpers by.
      detached: true,
      stdio: [call.inputFd ?? (call.input === undefined ? 'ignore' : 'pipe'), 'pipe', 'pipe'],
    });
    const pid = child.pid;
    let ended: DevmeshError | undefined;
    const end = (error: DevmeshError): void => {
      ended ??= error;
      if (pid !== undefined) killGroup(pid);
    };
    const timer = setTimeout(() => {
      end(new DevmeshError('deadline_exceeded', `git ${verb} took longer than ${timeoutMs} ms and was stopped`));
    }, timeoutMs);
    const onAbort = (): void => end(new DevmeshError('execution_cancelled', `git ${verb} was cancelled`));
    call.signal?.addEventListener('abort', onAbort, { once: true });
    if (pid !== undefined) track(pid);

    const out: Buffer[] = [];
    let outBytes = 0;
    child.stdout?.on('data', (chunk: Buffer) => {
      outBytes += chunk.length;
      if (outBytes > maxBytes)
        end(new DevmeshError('output_too_large', `git ${verb} wrote more than ${maxBytes} bytes`));
      else out.push(chunk);
    });
    const err: Buffer[] = [];
    let errBytes = 0;
    child.stderr?.on('data', (chunk: Buffer) => {
      if (errBytes < MAX_STDERR_BYTES) err.push(chunk);
      errBytes += chunk.length;
    });
    if (child.stdin !== null && call.input !== undefined) {
      // git may end before it has read everything; its exit code says why.
      child.stdin.on('error', () => undefined);
      child.stdin.end(call.input);
    }

    const settle = (): void => {
      clearTimeout(timer);
      call.signal?.removeEventListener('abort', onAbort);
      if (pid !== undefined) live.delete(pid);
    };
    child.on('error', (cause: NodeJS.ErrnoException) => {
      settle();
      const text =
        cause.code === 'ENOENT'
          ? 'git was not found (or the folder it should run in is gone): install git 2.34 or newer and put it on PATH'
          : `git could not be started: ${cause.message}`;
      reject(new DevmeshError('unavailable', text, { cause }));
    });
    child.on('close', (code) => {
      settle();
      const stderr = Buffer.concat(err).toString();
      if (ended !== undefined) reject(ended);
      else if (code !== null && (call.okCodes ?? [0]).includes(code))
        resolve({ code, stdout: Buffer.concat(out), stderr });
      else if (/No space left on device|Disk quota exceeded/.test(stderr)) {
        reject(
          new DevmeshError(
            'storage_full',
            `git ${verb} found no space left on the disk that holds ${call.gitDir}: free some`,
          ),
        );
      } else reject(new GitFailure(verb, code ?? -1, stderr));
    });
  });
}

/** Splits the output of a `-z` command. Names stay bytes. */
export function splitNul(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(0); at !== -1; at = bytes.indexOf(0, from)) {
    parts.push(bytes.subarray(from, at));
    from = at + 1;
  }
  if (from < bytes.length) parts.push(bytes.subarray(from));
  return parts;
}
