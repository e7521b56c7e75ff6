import { SERVICE_NAMES } from '@devmesh/contracts/services';
import type { Site } from './site.ts';

/*
 * The services write JSON lines: to files below the data folder under `devmesh up`, to their standard output in containers. Two ways to
 * ship them; labels are only what has few values, and run, step and trace ids are searched for in the line.
 */

/** What a line of a service always has, and what is searched for. */
const FIELDS = { time: 'time', level: 'level', service: 'service', message: 'message' } as const;
const SEARCHED = ['runId', 'step', 'traceId', 'spanId'] as const;

/** Configuration of the OpenTelemetry collector (contrib, for `filelog`) that ships to Loki. */
export function lokiShipperConfig({ logs }: Site): object {
  const ours = 'attributes.service != nil';
  const parse = [
    // PostgreSQL's lines are no JSON: they are shipped as they are, with the time at which they are read.
    {
      type: 'json_parser',
      if: 'body matches "^\\\\{"',
      on_error: 'send_quiet',
      timestamp: {
        parse_from: `attributes.${FIELDS.time}`,
        layout_type: 'gotime',
        layout: '2006-01-02T15:04:05.000Z07:00',
      },
      severity: { parse_from: `attributes.${FIELDS.level}` },
    },
    {
      type: 'trace_parser',
      if: 'attributes.traceId != nil',
      on_error: 'send_quiet',
      trace_id: { parse_from: 'attributes.traceId' },
      span_id: { parse_from: 'attributes.spanId' },
    },
    // What Loki makes a label of.
    { type: 'move', if: ours, from: `attributes.${FIELDS.service}`, to: 'resource["service.name"]' },
  ];
  return {
    receivers: {
      'filelog/files': { include: [`${logs.folder}/*.log`], storage: 'file_storage', operators: parse },
      'filelog/containers': {
        include: ['/var/lib/docker/containers/*/*.log'],
        storage: 'file_storage',
        operators: [{ type: 'container', format: 'docker' }, ...parse],
      },
    },
    processors: { batch: { timeout: '1s' } },
    exporters: { 'otlphttp/loki': { endpoint: `${logs.loki}/otlp` } },
    // How far each file was read, so that a restart ships no line twice and loses none.
    extensions: { file_storage: { directory: '/var/lib/otelcol' } },
    service: {
      extensions: ['file_storage'],
      pipelines: {
        logs: {
          receivers: ['filelog/files', 'filelog/containers'],
          processors: ['batch'],
          exporters: ['otlphttp/loki'],
        },
      },
    },
  };
}

/** Filebeat's configuration, for Elasticsearch and Kibana. */
export function filebeatConfig({ logs }: Site): object {
  const decode = { decode_json_fields: { fields: ['message'], target: 'devmesh', add_error_key: false } };
  const at = { timestamp: { field: 'devmesh.time', layouts: ['2006-01-02T15:04:05.000Z'], ignore_failure: true } };
  // Under the names that Kibana links logs and traces by (ECS).
  const named = {
    rename: {
      fields: [
        { from: `devmesh.${FIELDS.level}`, to: 'log.level' },
        { from: `devmesh.${FIELDS.service}`, to: 'service.name' },
        { from: 'devmesh.traceId', to: 'trace.id' },
        { from: 'devmesh.spanId', to: 'span.id' },
      ],
      ignore_missing: true,
      fail_on_error: false,
    },
  };
  const processors = [decode, at, named];
  return {
    'filebeat.inputs': [
      { type: 'filestream', id: 'devmesh-files', paths: [`${logs.folder}/*.log`], processors },
      {
        type: 'filestream',
        id: 'devmesh-containers',
        paths: ['/var/lib/docker/containers/*/*.log'],
        parsers: [{ container: { stream: 'all', format: 'docker' } }],
        processors: [
          { add_docker_metadata: null },
          // `service` is that of compose.
          {
            drop_event: {
              when: {
                not: {
                  or: SERVICE_NAMES.map((name) => ({
                    equals: { 'container.labels.com_docker_compose_service': name },
                  })),
                },
              },
            },
          },
          ...processors,
        ],
      },
    ],
    'output.elasticsearch': {
      hosts: [logs.elasticsearch],
      username: '${ELASTICSEARCH_USERNAME:elastic}',
      password: '${ELASTICSEARCH_PASSWORD:}',
      index: 'devmesh-%{+yyyy.MM.dd}',
    },
    'setup.template': {
      name: 'devmesh',
      pattern: 'devmesh-*',
      json: { enabled: true, path: 'devmesh-template.json', name: 'devmesh' },
    },
    'setup.ilm.enabled': false,
  };
}

/** The index template of Elasticsearch: ids are looked up as a whole, the message by its words. */
export function elasticsearchTemplate(): object {
  const keyword = { type: 'keyword', ignore_above: 256 };
  return {
    index_patterns: ['devmesh-*'],
    template: {
      settings: { number_of_shards: 1, number_of_replicas: 0 },
      mappings: {
        properties: {
          '@timestamp': { type: 'date' },
          log: { properties: { level: keyword } },
          service: { properties: { name: keyword } },
          trace: { properties: { id: keyword } },
          span: { properties: { id: keyword } },
          devmesh: {
            properties: {
              message: { type: 'text' },
              ...Object.fromEntries(SEARCHED.slice(0, 2).map((name) => [name, keyword])),
            },
          },
        },
      },
    },
  };
}

/** Loki's configuration: one process, files, 30 days. */
export function lokiConfig(): object {
  return {
    auth_enabled: false,
    server: { http_listen_port: 3100 },
    common: {
      path_prefix: '/loki',
      replication_factor: 1,
      ring: { kvstore: { store: 'inmemory' } },
      storage: { filesystem: { chunks_directory: '/loki/chunks', rules_directory: '/loki/rules' } },
    },
    schema_config: {
      configs: [
        {
          from: '2024-01-01',
          store: 'tsdb',
          object_store: 'filesystem',
          schema: 'v13',
          index: { prefix: 'index_', period: '24h' },
        },
      ],
    },
    limits_config: { retention_period: '720h' },
    compactor: { working_directory: '/loki/compactor', retention_enabled: true, delete_request_store: 'filesystem' },
  };
}
