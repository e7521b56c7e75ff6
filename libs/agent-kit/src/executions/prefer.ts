/** How long the caller would like to wait, ms: `Prefer: wait=<seconds>` (RFC 7240). 0 without it; what can't be read is ignored, as the RFC says. */
export function parsePreferWait(header: string | string[] | undefined): number {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  for (const preference of text.split(',')) {
    const match = /^\s*wait\s*=\s*"?(\d{1,5}(?:\.\d{1,3})?)"?\s*(?:;|$)/i.exec(preference);
    if (match !== null) return Math.round(Number(match[1]) * 1000);
  }
  return 0;
}
