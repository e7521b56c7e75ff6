import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DevmeshError, parseOrThrow } from '@devmesh/contracts/errors';
import { contentOf } from '@devmesh/contracts/run';
import { RunExport } from '@devmesh/contracts/run-export';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import type { MeshApi } from '../gateway/mesh-api.js';
import { shortId } from '../output/run-lines.js';
import { bytes } from '../output/text.js';
import { theme } from '../output/theme.js';
import { connect } from './mesh.js';
import { resolveRun } from './runs.js';

export interface ExportOptions {
  readonly output?: string;
  readonly artifacts?: boolean;
}

/** Most bytes of a file that is imported. */
const MAX_FILE_BYTES = 256 * 1024 ** 2;

/** Works on files in a folder of its own, which is gone afterwards. */
async function aside<T>(context: CliContext, work: (file: string) => Promise<T>): Promise<T> {
  const folder = join(context.home.cache, `artifact-${randomUUID()}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    return await work(join(folder, 'content'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The content of everything that the run lists and of its repository, as base64 by digest. */
async function contents(context: CliContext, api: MeshApi, file: RunExport): Promise<Record<string, string>> {
  const [created] = file.events;
  const repository = created?.type === 'RunCreated' ? created.repository : null;
  const digests = new Set([
    ...(repository ? contentOf(repository) : []),
    ...file.artifacts.map(({ digest }) => digest),
  ]);
  // Looking at the run's list is what lets its artifacts be read.
  await api.artifacts(file.runId);
  await api.run(file.runId);
  const found: Record<string, string> = {};
  await aside(context, async (content) => {
    for (const digest of digests) {
      await api.getArtifact(digest, content);
      found[digest] = (await readFile(content)).toString('base64');
      await rm(content, { force: true });
    }
  });
  return found;
}

/** Writes a run into a file, or to stdout. */
export async function exportRun(context: CliContext, given: string, options: ExportOptions): Promise<ExitCode> {
  const { out } = context;
  const { api } = await connect(context);
  const file = await api.exportRun(await resolveRun(api, given));
  const whole = options.artifacts === true ? { ...file, content: await contents(context, api, file) } : file;
  const text = `${JSON.stringify(whole)}\n`;
  if (options.output === undefined) {
    out.write(text);
    return EXIT.passed;
  }
  const target = resolve(context.cwd, options.output);
  await writeFile(target, text, { mode: 0o600 });
  const what = `${file.events.length} events, ${bytes(Buffer.byteLength(text))}`;
  out.write(`${theme(out.color).good('✔')} run ${shortId(file.runId)} is in ${target} (${what})\n`);
  return EXIT.passed;
}

async function readExport(target: string): Promise<{ file: RunExport; content: ReadonlyMap<string, Buffer> }> {
  let value: unknown;
  try {
    const { size } = await stat(target);
    if (size > MAX_FILE_BYTES) {
      const limit = `${bytes(size)}, and at most ${bytes(MAX_FILE_BYTES)} are read`;
      throw new DevmeshError('payload_too_large', `${target} has ${limit}: export without --artifacts`);
    }
    value = JSON.parse(await readFile(target, 'utf8'));
  } catch (cause) {
    if (cause instanceof DevmeshError) throw cause;
    const text = `${target} can't be read as an exported run: check the path`;
    throw new DevmeshError('invalid_request', text, { cause });
  }
  const file = parseOrThrow(RunExport, value, target);
  const held = (value as { content?: unknown }).content ?? {};
  const content = Object.entries(held as Record<string, unknown>).map(([digest, text]) => {
    const data = Buffer.from(String(text), 'base64');
    if (createHash('sha256').update(data).digest('hex') === digest) return [digest, data] as const;
    throw new DevmeshError('invalid_request', `${target}: the content under ${digest} is not that: export it again`);
  });
  return { file, content: new Map(content) };
}

/** Brings the run of a file into the mesh, as one that is over. */
export async function importRun(
  context: CliContext,
  given: string,
  options: { readonly json?: boolean },
): Promise<ExitCode> {
  const { out, self } = context;
  const { api } = await connect(context);
  const { file, content } = await readExport(resolve(context.cwd, given));
  await aside(context, async (path) => {
    for (const data of content.values()) {
      await writeFile(path, data);
      await api.putArtifact(path);
    }
  });
  const run = await api.importRun(file);
  if (options.json === true) out.write(`${JSON.stringify({ run })}\n`);
  else out.write(`${theme(out.color).good('✔')} run ${run.id} was imported: ${self} show ${shortId(run.id)}\n`);
  return EXIT.passed;
}
