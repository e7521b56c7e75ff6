/** A short label that ties the log lines of one request together. */
export function requestLabel(path: string): string {
  const suffix = Math.random().toString(36).slice(2);
  return `${path} ${suffix}`;
}
