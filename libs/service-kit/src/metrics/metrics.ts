import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type LabelOf, type MetricName, type MetricOf } from './catalogue.js';

/** The metrics of this process. Asking for one registers it; asking again gives the same. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #made = new Map<MetricName, unknown>();

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The exposition text. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  counter<N extends MetricOf<'counter'>>(name: N): Counter<LabelOf<N>> {
    return this.#once(name, () => new Counter({ ...this.#definition(name) }));
  }

  /** `collect` is called for each scrape, to set the gauge; it may ask others. */
  gauge<N extends MetricOf<'gauge'>>(
    name: N,
    collect?: (gauge: Gauge<LabelOf<N>>) => void | Promise<void>,
  ): Gauge<LabelOf<N>> {
    return this.#once(
      name,
      () =>
        new Gauge<LabelOf<N>>({
          ...this.#definition(name),
          ...(collect === undefined
            ? {}
            : {
                collect(this: Gauge<LabelOf<N>>) {
                  return collect(this);
                },
              }),
        }),
    );
  }

  histogram<N extends MetricOf<'histogram'>>(name: N): Histogram<LabelOf<N>> {
    return this.#once(name, () => {
      const { buckets } = METRICS[name];
      return new Histogram({ ...this.#definition(name), buckets: [...buckets] });
    });
  }

  #definition<N extends MetricName>(
    name: N,
  ): { name: N; help: string; labelNames: LabelOf<N>[]; registers: Registry[] } {
    const { help, labels } = METRICS[name];
    return { name, help, labelNames: [...labels] as LabelOf<N>[], registers: [this.#registry] };
  }

  #once<M>(name: MetricName, make: () => M): M {
    const known = this.#made.get(name);
    if (known !== undefined) return known as M;
    const made = make();
    this.#made.set(name, made);
    return made;
  }
}

/**
 * What operators ask of every process. Read when scraped: unlike the library's default set it keeps no timer, which matters
 * for nine idle processes on a small machine.
 */
export function registerProcessMetrics(metrics: Metrics, startedAt: number): void {
  metrics.gauge('process_cpu_seconds_total', (gauge) => {
    const { user, system } = process.cpuUsage();
    gauge.set((user + system) / 1e6);
  });
  metrics.gauge('process_resident_memory_bytes', (gauge) => gauge.set(process.memoryUsage.rss()));
  // Without a container the constraint is unknown, 0 or larger than any machine.
  const constrained = process.constrainedMemory();
  const limit = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  metrics.gauge('process_memory_limit_bytes').set(limit);
  metrics.gauge('process_start_time_seconds').set(startedAt / 1000);
  metrics.gauge('nodejs_heap_size_used_bytes', (gauge) => gauge.set(process.memoryUsage().heapUsed));
  metrics.gauge('nodejs_heap_size_limit_bytes').set(getHeapStatistics().heap_size_limit);
  let before = performance.eventLoopUtilization();
  metrics.gauge('nodejs_eventloop_utilization_ratio', (gauge) => {
    const now = performance.eventLoopUtilization();
    gauge.set(performance.eventLoopUtilization(now, before).utilization);
    before = now;
  });
}

/** The disk that a service keeps its data on. While the folder is not there, nothing is said of it. */
export function registerDiskMetrics(metrics: Metrics, folder: string): void {
  const read = (name: 'data_disk_free_bytes' | 'data_disk_size_bytes', blocks: (disk: StatsFs) => number): void => {
    metrics.gauge(name, async (gauge) => {
      const disk = await statfs(folder).catch(() => undefined);
      if (disk === undefined) gauge.remove();
      else gauge.set(blocks(disk) * disk.bsize);
    });
  };
  read('data_disk_free_bytes', ({ bavail }) => bavail);
  read('data_disk_size_bytes', (disk) => disk.blocks);
}
