/** A path whose parts are encoded: pathOf`/v1/runs/${id}/events`. */
export function pathOf(texts: TemplateStringsArray, ...parts: readonly string[]): string {
  return texts.reduce((path, text, place) => path + encodeURIComponent(parts[place - 1] ?? '') + text);
}

/** `?a=1&b=2`, without members that are undefined; empty for none. */
export function queryOf(query: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
