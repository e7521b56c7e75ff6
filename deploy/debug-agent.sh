#!/usr/bin/env bash
# Opens the inspector of a service in a container, here or on a droplet, and shows what there is to know of it.
#   deploy/debug-agent.sh NAME [--host HOST [--user NAME] [--ssh-port N] [--identity FILE] [--known-hosts FILE]]
#   --port N             of the inspector on this machine (9229)     --lines N     of its log (50)
#   --container-port N   of the inspector in the container (9229)    --no-inspect  only show
#   --project NAME       of compose (devmesh)
# The service is not started anew and not stopped: node opens its inspector at a signal, on the loopback of the container, and this script carries
# it here for as long as it runs. Whoever reaches the port can do all that the service can: it is on 127.0.0.1, and closed with Ctrl-C.
# Exit code: 0 shown, or ended with Ctrl-C; 1 there is no such container; 2 wrong use; 4 the droplet is not reached.
set -euo pipefail

usage() {
  [ $# -eq 0 ] || printf 'debug-agent: %s\n' "$*" >&2
  sed -n '2,/^set -/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

clone=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name='' host='' user=devmesh ssh_port=22 identity='' known_hosts='' port=9229 container_port=9229 lines=50 project=devmesh inspect=yes
while [ $# -gt 0 ]; do
  case $1 in
    --host | --user | --ssh-port | --identity | --known-hosts | --port | --container-port | --lines | --project)
      [ -n "${2:-}" ] || usage "$1 wants a value"
      option=${1#--}
      printf -v "${option//-/_}" '%s' "$2"
      shift
      ;;
    --no-inspect) inspect=no ;;
    -*) usage "what is $1?" ;;
    *)
      [ -z "$name" ] || usage 'name one service'
      name=$1
      ;;
  esac
  shift
done
[ -n "$name" ] || usage 'name a service, such as code-review'
[[ $name =~ ^[a-z][a-z-]*$ ]] || usage "$name is no service"
[[ $project =~ ^[a-z0-9][a-z0-9_-]*$ ]] || usage "--project $project is no project"
[[ $port$container_port$lines$ssh_port =~ ^[0-9]+$ ]] || usage 'ports and --lines are numbers'
[ -z "$host" ] || [[ $host =~ ^[A-Za-z0-9][A-Za-z0-9.:-]*$ ]] || usage "--host $host is no host"

# `docker` here, or over there. Each word is quoted once for the shell over there.
reach=()
if [ -n "$host" ]; then
  reach=(ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=15 -p "$ssh_port")
  [ -z "$identity" ] || reach+=(-o IdentitiesOnly=yes -i "$identity")
  [ -z "$known_hosts" ] || reach+=(-o "UserKnownHostsFile=$known_hosts")
  reach+=("$user@$host")
  "${reach[@]}" true || {
    printf 'debug-agent: %s is not reached\n' "$host" >&2
    exit 4
  }
fi
docker_there() {
  if [ -z "$host" ]; then docker "$@"; else "${reach[@]}" "docker$(printf ' %q' "$@")"; fi
}

container=$(docker_there ps --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$name" --format '{{.Names}}' | head -1)
[ -n "$container" ] || {
  printf 'debug-agent: no container of %s runs in project %s; these do:\n' "$name" "$project" >&2
  docker_there ps --filter "label=com.docker.compose.project=$project" --format '  {{.Names}}  {{.Status}}' >&2
  exit 1
}
docker_there ps --filter "name=$container" --format '{{.Names}}  {{.Image}}  {{.Status}}'
docker_there logs --tail "$lines" "$container"
[ "$inspect" = yes ] || exit 0

# Process 1 is the image's init, which passes the signal on to node.
docker_there kill --signal SIGUSR1 "$container" >/dev/null
printf 'debug-agent: the inspector of %s is at 127.0.0.1:%s: chrome://inspect, or "attach" of the editor; Ctrl-C closes it\n' "$container" "$port"
node=$clone/node_modules/.bin/node
[ -x "$node" ] || node=node
# One `docker exec` for each connection, whose standard input and output are the connection: nothing is opened over there.
pipe="const s = require('node:net').connect($container_port, '127.0.0.1'); process.stdin.pipe(s).pipe(process.stdout); s.on('error', (e) => { console.error(e.message); process.exit(1); }); s.on('close', () => process.exit())"
if [ -z "$host" ]; then
  carry=(docker exec -i "$container" node -e "$pipe")
else
  carry=("${reach[@]}" "docker exec -i $(printf %q "$container") node -e $(printf %q "$pipe")")
fi
exec "$node" -e '
  const { spawn } = require("node:child_process");
  const [port, program, ...args] = process.argv.slice(1);
  require("node:net").createServer((socket) => {
    const there = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    for (const stream of [socket, there, there.stdin, there.stdout]) stream.on("error", () => socket.destroy());
    socket.on("close", () => there.kill());
    there.on("exit", () => socket.destroy());
    socket.pipe(there.stdin);
    there.stdout.pipe(socket);
  }).listen(Number(port), "127.0.0.1");
' "$port" "${carry[@]}"
