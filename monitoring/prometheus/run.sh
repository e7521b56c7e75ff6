#!/bin/sh
# Generated: node tools/monitoring/main.ts
# CONFIG is prometheus.static.yml or prometheus.consul.yml of this folder, or a path.
cd "$(dirname "$0")" || exit 1
exec prometheus --config.file="${CONFIG:-prometheus.static.yml}" --storage.tsdb.retention.time=30d "$@"
