import type { Dashboard, Panel } from './dashboards.ts';
import type { Site } from './site.ts';

/** `uid` of the data sources that are provisioned. */
const PROMETHEUS = { type: 'prometheus', uid: 'devmesh-prometheus' };
const JAEGER = { type: 'jaeger', uid: 'devmesh-jaeger' };
const LOKI = { type: 'loki', uid: 'devmesh-loki' };
/** Columns of Grafana's grid. */
const COLUMNS = 24;
const SIZES = { stat: { w: 4, h: 4 }, timeseries: { w: 12, h: 8 } } as const;
const SCHEMA_VERSION = 39;

/** The model that Grafana imports. */
export function dashboardModel({ uid, title, panels }: Dashboard): object {
  let x = 0;
  let y = 0;
  let row = 0;
  const placed = panels.map((panel, at) => {
    const { w, h } = SIZES[panel.kind];
    if (x + w > COLUMNS || (row !== h && x > 0)) {
      x = 0;
      y += row;
    }
    row = h;
    const model = panelModel(panel, at + 1, { x, y, w, h });
    x += w;
    return model;
  });
  return {
    uid,
    title,
    tags: ['devmesh'],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: false,
    refresh: '5s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    links: [{ type: 'dashboards', tags: ['devmesh'], title: 'Devmesh', asDropdown: false }],
    annotations: {
      list: [
        {
          name: 'Alerts',
          datasource: PROMETHEUS,
          enable: true,
          iconColor: 'red',
          expr: 'ALERTS{alertstate="firing"}',
          step: '15s',
          titleFormat: '{{alertname}}',
          textFormat: '{{job}} {{subject}}',
          tagKeys: 'severity',
        },
      ],
    },
    panels: placed,
  };
}

function panelModel(panel: Panel, id: number, gridPos: object): object {
  const steps = [
    { color: 'green', value: null },
    ...(panel.bad === undefined ? [] : [{ color: 'red', value: panel.bad }]),
  ];
  return {
    id,
    type: panel.kind,
    title: panel.title,
    description: panel.says,
    datasource: PROMETHEUS,
    gridPos,
    fieldConfig: {
      defaults: {
        unit: panel.unit,
        thresholds: { mode: 'absolute', steps },
        ...(panel.bad === undefined ? {} : { custom: { thresholdsStyle: { mode: 'line' } } }),
      },
      overrides: [],
    },
    options: panel.kind === 'stat' ? { colorMode: 'value', graphMode: 'none' } : { tooltip: { mode: 'multi' } },
    targets: panel.queries.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + at),
      datasource: PROMETHEUS,
      expr,
      legendFormat: legend,
      ...(panel.kind === 'stat' ? { instant: true } : {}),
    })),
  };
}

export function grafanaSources({ grafana }: Site): object {
  const common = { access: 'proxy', editable: false };
  return {
    apiVersion: 1,
    datasources: [
      { name: 'Prometheus', ...PROMETHEUS, ...common, url: grafana.prometheus, isDefault: true },
      { name: 'Jaeger', ...JAEGER, ...common, url: grafana.jaeger },
      {
        name: 'Loki',
        ...LOKI,
        ...common,
        url: grafana.loki,
        // From a line of the log to the trace that it belongs to.
        jsonData: {
          derivedFields: [
            { name: 'trace', matcherRegex: '"traceId":"(\\w+)"', datasourceUid: JAEGER.uid, url: '$${__value.raw}' },
          ],
        },
      },
    ],
  };
}

/** `folder`: where Grafana sees the dashboards. */
export function grafanaProviders({ grafana }: Site): object {
  return {
    apiVersion: 1,
    providers: [
      {
        name: 'devmesh',
        folder: 'Devmesh',
        type: 'file',
        allowUiUpdates: false,
        options: { path: grafana.dashboards },
      },
    ],
  };
}
