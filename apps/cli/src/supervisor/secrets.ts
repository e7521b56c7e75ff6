import { createHash, randomBytes } from 'node:crypto';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from './home.js';

export interface MeshSecrets {
  readonly internalToken: string;
  readonly internalTokenFile: string;
  readonly databaseAdminPassword: string;
  readonly databasePassword: string;
  readonly queuePassword: string;
  readonly apiKey: string;
}

async function readSecret(file: string): Promise<string | null> {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    return text === '' ? null : text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes a file that only its owner reads, whole or not at all. */
export async function writePrivate(file: string, text: string): Promise<void> {
  const next = `${file}.${process.pid}.new`;
  await writeFile(next, text, { mode: 0o600, flush: true });
  await chmod(next, 0o600);
  await rename(next, file);
}

async function keep(file: string, make: () => string): Promise<string> {
  const known = await readSecret(file);
  if (known !== null) return known;
  const fresh = make();
  await writePrivate(file, `${fresh}\n`);
  return fresh;
}

const random = (): string => randomBytes(32).toString('base64url');

/** Reads the secrets of a mesh; makes those that are missing. Called by the lock's holder alone. */
export async function openSecrets(home: Home): Promise<MeshSecrets> {
  const at = (name: string): string => join(home.secrets, name);
  return {
    internalToken: await keep(at('internal-token'), random),
    internalTokenFile: at('internal-token'),
    databaseAdminPassword: await keep(at('database-admin-password'), random),
    databasePassword: await keep(at('database-password'), random),
    queuePassword: await keep(at('queue-password'), random),
    apiKey: await keep(home.apiKeyFile, () => `dm_${random()}`),
  };
}

/** The API key in the data folder, or null when the mesh has not been started there. */
export async function readApiKey(home: Home): Promise<string | null> {
  return readSecret(home.apiKeyFile);
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
