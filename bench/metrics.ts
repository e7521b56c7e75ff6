/** One sample of a scrape. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the text format of Prometheus. */
export function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/i.exec(line);
    if (!match) return [];
    const labels = [...(match[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/gi)].map(
      ([, key = '', value = '']) => [key, value] as const,
    );
    return [{ name: match[1] ?? '', labels: Object.fromEntries(labels), value: Number(match[3]) }];
  });
}

export async function scrape(address: string): Promise<Sample[]> {
  return parseMetrics(await (await fetch(`${address}/metrics`)).text());
}

/** Health, metrics, watching and idle polls: not part of a run's hops. */
const NOT_A_HOP = /^\/(health|metrics|openapi|docs)|\/runs\/due$|\/events$|^\/v1\/agent$|heartbeats$/;

/** Requests answered so far that count as hops, by route. */
export function hops(samples: readonly Sample[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { name, labels, value } of samples) {
    if (name !== 'http_request_duration_seconds_count') continue;
    const route = labels['route'] ?? '';
    if (NOT_A_HOP.test(route) || (labels['method'] === 'GET' && route === '/v1/runs')) continue;
    const id = `${labels['method']} ${route}`;
    found.set(id, (found.get(id) ?? 0) + value);
  }
  return found;
}

export function total(samples: readonly Sample[], name: string): number {
  return samples.filter((sample) => sample.name === name).reduce((sum, sample) => sum + sample.value, 0);
}
