const NOBODY = 65_534;

/**
 * Runs `use` with the rights of an ordinary user, also when the tests run as root (whom no permission stops). The process's real
 * user stays, so that its rights come back afterwards; children started meanwhile have the ordinary ones.
 */
export async function asOrdinaryUser<T>(use: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return use();
  const group = process.getegid?.() ?? 0;
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
  try {
    return await use();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(group);
  }
}
