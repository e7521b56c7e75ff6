import type { Alert } from './alert.ts';

const process = (metric: string, values: string): Record<string, string> => ({
  [`${metric}{job="gateway", instance="a"}`]: values,
});
const gateway = { job: 'gateway', instance: 'a' };
const state = (metric: string, values: string): Record<string, string> => ({
  [`${metric}{job="state-persistence", instance="a"}`]: values,
});
const stateUp = { 'up{job="state-persistence", instance="a"}': '1x400' };
const stateLabels = { job: 'state-persistence', instance: 'a' };

/** What is amiss with machine, disk, backup and certificate rather than with the work of the mesh. */
export const HOST_ALERTS: Readonly<Record<string, Alert>> = {
  HighCpu: {
    severity: 'warning',
    expr: 'instance:process_cpu:rate2m > 0.8',
    for: '5m',
    summary: '{{ $labels.job }} {{ $labels.instance }} uses {{ $value | humanizePercentage }} of a core',
    cases: [
      {
        series: process('process_cpu_seconds_total', '0+13.5x60'),
        at: '9m',
        fires: [{ labels: gateway, value: '90%' }],
      },
      { series: process('process_cpu_seconds_total', '0+11x60'), at: '9m', fires: [] },
    ],
  },
  HighMemory: {
    severity: 'warning',
    expr: 'instance:process_memory:ratio > 0.85\nor instance:nodejs_heap:ratio > 0.85',
    for: '5m',
    summary: '{{ $labels.job }} {{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory',
    cases: [
      {
        series: {
          ...process('process_resident_memory_bytes', '900x40'),
          ...process('process_memory_limit_bytes', '1000x40'),
        },
        at: '6m',
        fires: [{ labels: gateway, value: '90%' }],
      },
      {
        series: {
          ...process('process_resident_memory_bytes', '100x40'),
          ...process('process_memory_limit_bytes', '1000x40'),
          ...process('nodejs_heap_size_used_bytes', '95x40'),
          ...process('nodejs_heap_size_limit_bytes', '100x40'),
        },
        at: '6m',
        fires: [{ labels: gateway, value: '95%' }],
      },
      {
        series: {
          ...process('process_resident_memory_bytes', '800x40'),
          ...process('process_memory_limit_bytes', '1000x40'),
        },
        at: '6m',
        fires: [],
      },
    ],
  },
  DiskFilling: {
    severity: 'critical',
    expr: [
      'instance:data_disk_free:ratio < 0.1',
      'or (instance:data_disk_free:ratio < 0.3 and predict_linear(data_disk_free_bytes[1h], 4 * 3600) < 0)',
    ].join('\n'),
    for: '5m',
    summary:
      'the disk of {{ $labels.job }} {{ $labels.instance }} has {{ $value | humanizePercentage }} left, or is full soon',
    cases: [
      {
        series: { ...state('data_disk_free_bytes', '5x40'), ...state('data_disk_size_bytes', '100x40') },
        at: '6m',
        fires: [{ labels: stateLabels, value: '5%' }],
      },
      {
        // A quarter is left, and ten hundredths of it go in an hour.
        series: { ...state('data_disk_free_bytes', '4900-10x280'), ...state('data_disk_size_bytes', '10000x280') },
        at: '1h',
        fires: [{ labels: stateLabels, value: '25%' }],
      },
      {
        series: { ...state('data_disk_free_bytes', '2500x280'), ...state('data_disk_size_bytes', '10000x280') },
        at: '1h',
        fires: [],
      },
    ],
  },
  BackupMissing: {
    severity: 'critical',
    // Nightly, with two hours to spare.
    expr: [
      'time() - max(backup_last_success_timestamp_seconds) > 26 * 3600',
      'or (absent(backup_last_success_timestamp_seconds) and on () up{job="state-persistence"} == 1)',
    ].join('\n'),
    for: '1h',
    summary: 'there is no backup of the last 26 hours',
    // The tests begin at Unix time 0: the backup was made before that.
    cases: [
      {
        series: { ...stateUp, ...state('backup_last_success_timestamp_seconds', '-92000x400') },
        at: '1h40m',
        fires: [{ labels: {} }],
      },
      {
        series: { ...stateUp, ...state('backup_last_success_timestamp_seconds', '-86400x400') },
        at: '1h40m',
        fires: [],
      },
      { series: stateUp, at: '1h5m', fires: [{ labels: {} }] },
    ],
  },
  CertificateExpiring: {
    severity: 'warning',
    // Renewal is tried a month before the end.
    expr: 'certificate_expiry_timestamp_seconds - time() < 14 * 24 * 3600',
    for: '1h',
    summary: 'the certificate of {{ $labels.host }} ends in {{ $value | humanizeDuration }}',
    cases: [
      {
        series: { 'certificate_expiry_timestamp_seconds{job="gateway", host="mesh.example"}': '604800x400' },
        at: '1h30m',
        fires: [{ labels: { job: 'gateway', host: 'mesh.example' }, value: '6d 22h 30m 0s' }],
      },
      {
        series: { 'certificate_expiry_timestamp_seconds{job="gateway", host="mesh.example"}': '1814400x400' },
        at: '1h30m',
        fires: [],
      },
    ],
  },
};
