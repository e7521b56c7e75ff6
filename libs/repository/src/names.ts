const decoder = new TextDecoder('utf-8', { fatal: true });

/** A path of a repository: bytes are the truth, `path` is for people (bytes that aren't UTF-8 are replaced, then `utf8` is false). */
export interface RepositoryPath {
  readonly path: string;
  readonly bytes: Buffer;
  readonly utf8: boolean;
}

export function decodePath(bytes: Buffer): RepositoryPath {
  try {
    return { path: decoder.decode(bytes), bytes, utf8: true };
  } catch {
    return { path: bytes.toString('utf8'), bytes, utf8: false };
  }
}

/** A name for a message: quoted with escapes where it holds control characters, quotes or edge spaces. */
export function showName(name: string): string {
  return /[\u0000-\u001f\u007f"\ufffd]|^\s|\s$/.test(name) ? JSON.stringify(name) : name;
}

/** At most `limit` names and how many more there are. */
export function showNames(names: readonly string[], limit = 5): string {
  const shown = names
    .slice(0, limit)
    .map((name) => (name.length > 200 ? `${name.slice(0, 200)}…` : name))
    .map(showName)
    .join(', ');
  return names.length > limit ? `${shown} and ${names.length - limit} more` : shown;
}
