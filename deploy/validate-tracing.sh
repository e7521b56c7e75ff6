#!/usr/bin/env bash
# Does one run through the gateway and reads its trace back from Jaeger: one trace, a span of the run, the submit of the gateway,
# a span of each step with its execution below it, and no span without its parent.
#   deploy/validate-tracing.sh --key-file FILE --repository URL [--gateway URL] [--jaeger URL] [--timeout SECONDS]
#   --host HOST [--user NAME] [--port N] [--identity FILE] [--known-hosts FILE]      of a droplet, through a tunnel
# Exit code: 0 the trace is whole, 1 it is not, 2 wrong use, 4 the droplet is not reached.
set -euo pipefail

usage() {
  [ $# -eq 0 ] || printf 'validate-tracing: %s\n' "$*" >&2
  sed -n '2,/^set -/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

clone=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
host='' user=devmesh port=22 identity='' known_hosts='' passed_on=()
while [ $# -gt 0 ]; do
  case $1 in
    --host | --user | --port | --identity | --known-hosts)
      [ -n "${2:-}" ] || usage "$1 wants a value"
      name=${1#--}
      printf -v "${name//-/_}" '%s' "$2"
      shift
      ;;
    --key-file | --repository | --gateway | --jaeger | --timeout)
      [ -n "${2:-}" ] || usage "$1 wants a value"
      passed_on+=("$1" "$2")
      shift
      ;;
    *) usage "what is $1?" ;;
  esac
  shift
done

if [ -n "$host" ]; then
  [[ $host =~ ^[A-Za-z0-9][A-Za-z0-9.:-]*$ ]] || usage "--host $host is no host"
  folder=$(mktemp -d)
  options=(-o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=15 -o ExitOnForwardFailure=yes -p "$port")
  [ -z "$identity" ] || options+=(-o IdentitiesOnly=yes -i "$identity")
  [ -z "$known_hosts" ] || options+=(-o "UserKnownHostsFile=$known_hosts")
  close() {
    ssh -S "$folder/control" -O exit "$user@$host" 2>/dev/null || true
    rm -rf "$folder"
  }
  trap close EXIT
  # Jaeger is not open to the outside. Any free port here will do.
  local_port=$((20000 + RANDOM % 20000))
  ssh "${options[@]}" -f -N -M -S "$folder/control" -L "127.0.0.1:$local_port:127.0.0.1:16686" "$user@$host" || {
    printf 'validate-tracing: %s is not reached, or port %s is taken: try again\n' "$host" "$local_port" >&2
    exit 4
  }
  passed_on+=(--jaeger "http://127.0.0.1:$local_port")
fi

node=$clone/node_modules/.bin/node
[ -x "$node" ] || { "$clone/devmesh" --version >/dev/null; }
"$node" "$clone/tools/deployment/main.ts" tracing "${passed_on[@]}"
