import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { DevmeshError } from '@devmesh/contracts/errors';

/*
 * A backup file: `DEVMESH1`, 8 bytes that tell keys apart, 12 bytes of nonce, gzip'ed lines of JSON under AES-256-GCM, 16
 * bytes of tag, which covers the head too. GCM bounds the compressed content to 64 GiB. A file without its tag, or with another one,
 * is refused before a line of it is used.
 */
const MAGIC = Buffer.from('DEVMESH1');
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = MAGIC.length + KEY_ID_BYTES + NONCE_BYTES;

/** A key of 32 bytes, in hexadecimal, from a file that its owner alone may read. */
export async function readKey(path: string): Promise<Buffer> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new DevmeshError(
      'invalid_request',
      `the key file ${path} can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}): make one with openssl rand -hex 32, mode 0600`,
      { cause: error },
    );
  });
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw new DevmeshError(
      'invalid_request',
      `others may read the key file ${path} (mode ${mode.toString(8)}): chmod 600 ${path}`,
    );
  if (!/^[0-9a-f]{64}$/i.test(text.trim()))
    throw new DevmeshError(
      'invalid_request',
      `${path} holds no key of 64 hexadecimal digits: make one with openssl rand -hex 32`,
    );
  return Buffer.from(text.trim(), 'hex');
}

/** Says which key it is, and nothing about what it is. */
function keyId(key: Buffer): Buffer {
  return createHash('sha256').update('devmesh backup key\0').update(key).digest().subarray(0, KEY_ID_BYTES);
}

/** Writes the lines aside, brings them to disk and renames: the file is there wholly or not at all. */
export async function writeBackup(path: string, key: Buffer, lines: AsyncIterable<string>): Promise<void> {
  const aside = `${path}.part`;
  try {
    const nonce = randomBytes(NONCE_BYTES);
    const head = Buffer.concat([MAGIC, keyId(key), nonce]);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(head);
    const file = createWriteStream(aside, { flags: 'w', mode: 0o600 });
    file.write(head);
    await pipeline(Readable.from(lines), createGzip(), cipher, file, { end: true });
    const handle = await open(aside, 'a');
    try {
      await handle.write(cipher.getAuthTag());
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

async function decrypted(path: string, key: Buffer): Promise<{ readonly steps: [Readable, NodeJS.ReadWriteStream] }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(HEAD_BYTES);
    const tag = Buffer.alloc(TAG_BYTES);
    if (size > HEAD_BYTES + TAG_BYTES) {
      await file.read(head, 0, HEAD_BYTES, 0);
      await file.read(tag, 0, TAG_BYTES, size - TAG_BYTES);
    }
    if (!head.subarray(0, MAGIC.length).equals(MAGIC))
      throw new DevmeshError('invalid_request', `${path} is no backup that this version of Devmesh can read`);
    if (!head.subarray(MAGIC.length, MAGIC.length + KEY_ID_BYTES).equals(keyId(key)))
      throw new DevmeshError('invalid_request', `${path} was written with another key: name the file of that key`);
    const nonce = head.subarray(MAGIC.length + KEY_ID_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(head);
    decipher.setAuthTag(tag);
    return { steps: [createReadStream(path, { start: HEAD_BYTES, end: size - TAG_BYTES - 1 }), decipher] };
  } finally {
    await file.close();
  }
}

/** Reads the whole file once, and refuses one that was truncated, altered, or written with another key. */
export async function verifyBackup(path: string, key: Buffer): Promise<void> {
  const { steps } = await decrypted(path, key);
  try {
    await pipeline(...steps, new Writable({ write: (_chunk, _encoding, done) => done() }));
  } catch (error) {
    throw new DevmeshError('invalid_request', `${path} was truncated or altered: take another backup`, {
      cause: error,
    });
  }
}

/** The lines of a file that `verifyBackup` let pass. */
export async function* readBackup(path: string, key: Buffer): AsyncGenerator<string> {
  const { steps } = await decrypted(path, key);
  const gunzip = createGunzip();
  const flow = pipeline(...steps, gunzip);
  // What goes wrong is thrown below.
  flow.catch(() => undefined);
  yield* createInterface({ input: gunzip, crlfDelay: Infinity });
  await flow;
}

/** SHA-256 of a file, hexadecimal. */
export async function checksumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
