import type { Language } from '../parse/language.js';
import { openFile, type SkipReason, type TreeFile } from './walk.js';

/** Largest file that is reviewed, in bytes (1 MiB): what is larger is data, and parsing can't be interrupted. */
export const MAX_FILE_BYTES = 1024 * 1024;

const GENERATED_NAME =
  /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|Pipfile\.lock|uv\.lock|Cargo\.lock|composer\.lock|go\.sum)$|(\.min|\.bundle|[-.]generated)\.[a-z]+$|_pb2(_grpc)?\.py$|\.map$/i;

/** What a bundler names by its content, beside what else a page loads. */
const BUNDLE_NAME = /(^|\/)(assets|chunks?|_next|static\/js)\/([^/]+\/)*[\w.]+[-.](?=[\w-]*\d)[\w-]{8}\.(m?js|css)$/;
/** A library that was copied into a page's folder says who it is: `/*! Bootstrap v4.3.1 …`. */
const LIBRARY_FOLDER = /(^|\/)(static|public|assets|resources|dist|www|htdocs|lib|js)\//i;
const LIBRARY_BANNER = /^\s*\/\*[!*]\s*\n?[\s*]*[\w. -]{2,60}\bv?\d+\.\d+\.\d+\b/;

const GENERATED_MARK = /@generated\b|\b(code |file )?(is |was )?(auto-?)?generated\b[^\n]{0,80}\bdo not (edit|modify)/i;

export interface TextFile {
  readonly text: string;
  /** Whether the bytes are UTF-8, so that offsets into `text` are offsets into the file. */
  readonly utf8: boolean;
}

/** The text of a file, or why it is not reviewed. */
export async function readText(file: TreeFile, language: Language | undefined): Promise<TextFile | SkipReason> {
  if (GENERATED_NAME.test(file.path) || BUNDLE_NAME.test(file.path)) return 'generated';
  let content: Buffer;
  try {
    const handle = await openFile(file);
    try {
      if ((await handle.stat()).size > MAX_FILE_BYTES) return 'too-large';
      content = await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch {
    return 'unreadable';
  }
  if (content.subarray(0, 8000).includes(0)) return 'binary';
  const decoded = decode(content);
  if (GENERATED_MARK.test(decoded.text.slice(0, 1000))) return 'generated';
  if (isCopiedLibrary(file.path, decoded.text)) return 'generated';
  if (language !== undefined && isMinified(decoded.text)) return 'minified';
  return decoded;
}

/** Bytes that are not UTF-8 are read as Latin-1: what is ASCII in them still reads as itself. */
export function decode(content: Uint8Array): TextFile {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content), utf8: true };
  } catch {
    return { text: Buffer.from(content).toString('latin1'), utf8: false };
  }
}

function isCopiedLibrary(path: string, text: string): boolean {
  return /\.(m?js|css)$/.test(path) && LIBRARY_FOLDER.test(path) && LIBRARY_BANNER.test(text.slice(0, 300));
}

function isMinified(text: string): boolean {
  if (text.length < 2000) return false;
  const lines = text.split('\n');
  return text.length / lines.length > 400 || lines.some((line) => line.length > 20_000);
}
