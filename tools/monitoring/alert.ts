export type Severity = 'critical' | 'warning';
type Labels = Readonly<Record<string, string>>;

/** A case for `promtool test rules`: series at every 15 s, and which alerts fire then. */
export interface AlertCase {
  /** Selector, and values as promtool writes them: `1+0x20`. */
  readonly series: Readonly<Record<string, string>>;
  /** Since the first sample. */
  readonly at: string;
  /** Labels of each alert that fires, but for its name and severity; and its value as the text shows it. */
  readonly fires: readonly { readonly labels: Labels; readonly value?: string }[];
}

export interface Alert {
  readonly severity: Severity;
  readonly expr: string;
  /** How long it must hold. */
  readonly for: string;
  /** One line. May use `{{ $labels.x }}` and one `{{ $value | … }}`. */
  readonly summary: string;
  readonly cases: readonly AlertCase[];
}

/** What Prometheus makes of a summary. */
export function rendered(summary: string, labels: Labels, value = ''): string {
  return summary
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? '')
    .replaceAll(/\{\{ \$value[^}]*\}\}/g, value);
}
