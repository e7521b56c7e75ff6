#!/usr/bin/env bash
# Deploys a git revision to a droplet: its compose files over ssh, its images from the registry. Nothing is built there.
#   deploy/deploy-to-droplet.sh --host HOST [--revision SHA]      deploy (default: HEAD)
#   deploy/deploy-to-droplet.sh --host HOST --rollback            back to the release before
#   --dry-run               say what would be done, and do nothing
#   --user NAME             who logs in (devmesh)          --port N           of ssh (22)
#   --identity FILE         private key                    --known-hosts FILE host keys that are trusted
#   --home DIR              on the droplet (/opt/devmesh)  --keep N           releases that stay there (5)
#   --timeout SECONDS       until all are healthy (300)
#   --registry-user NAME --registry-token-file FILE        logs in to the registry first; the token is never an argument
# Deploying what runs already does nothing. A release that is not healthy in time is taken back by itself.
# Exit code: 0 it runs; 1 it does not, and what ran before does; 2 wrong use; 3 a person has to look; 4 could not be reached.
set -euo pipefail

usage() {
  [ $# -eq 0 ] || printf 'deploy-to-droplet: %s\n' "$*" >&2
  sed -n '2,/^set -/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
clone=$(cd "$here/.." && pwd)
host='' user=devmesh port=22 identity='' known_hosts='' home=/opt/devmesh keep=5 timeout=300
revision=HEAD verb=deploy dry_run=no registry_user='' registry_token_file=''

while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry_run=yes ;;
    --rollback) verb=rollback ;;
    --help | -h) usage ;;
    --host | --user | --port | --identity | --known-hosts | --home | --keep | --timeout | --revision | --registry-user | --registry-token-file)
      [ -n "${2:-}" ] || usage "$1 wants a value"
      name=${1#--}
      printf -v "${name//-/_}" '%s' "$2"
      shift
      ;;
    *) usage "what is $1?" ;;
  esac
  shift
done

[ -n "$host" ] || usage 'name the droplet: --host HOST'
# What is put into a command line over there must be what it looks like.
[[ $host =~ ^[A-Za-z0-9][A-Za-z0-9.:-]*$ ]] || usage "--host $host is no host"
[[ $user =~ ^[a-z_][a-z0-9_-]*$ ]] || usage "--user $user is no user"
[[ $home =~ ^/[A-Za-z0-9._/-]+$ ]] || usage "--home $home is no folder"
for number in "$port" "$keep" "$timeout"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || usage "$number is not a number from 1"
done
[ -z "$registry_token_file" ] || [ -n "$registry_user" ] || usage '--registry-token-file wants --registry-user'
[[ $registry_user =~ ^[A-Za-z0-9._@+-]*$ ]] || usage "--registry-user $registry_user is no user"

say() { printf '%s\n' "deploy-to-droplet: $*"; }

if [ "$verb" = deploy ]; then
  revision=$(git -C "$clone" rev-parse --verify --quiet "$revision^{commit}") || usage 'there is no such revision in this clone: git fetch'
fi

ssh_options=(-o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 -o ServerAliveCountMax=4 -p "$port")
[ -z "$identity" ] || ssh_options+=(-o IdentitiesOnly=yes -i "$identity")
[ -z "$known_hosts" ] || ssh_options+=(-o "UserKnownHostsFile=$known_hosts")
# shellcheck disable=SC2029 # Everything in these words is checked above or made here.
remote() { ssh "${ssh_options[@]}" "$user@$host" "$@"; }

remote true || {
  say "$user@$host is not reached: look at the address, the firewall, the key, and its host key in known_hosts" >&2
  exit 4
}

release=$home/releases/$revision
if [ "$verb" = deploy ] && [ "$dry_run" = no ]; then
  if [ -n "$registry_token_file" ]; then
    registry=$(remote "sed -n 's/^IMAGE_REGISTRY=//p' $home/shared/.env")
    [[ $registry =~ ^[a-z0-9.:/-]+$ ]] || {
      say "$home/shared/.env over there names no IMAGE_REGISTRY" >&2
      exit 3
    }
    remote "docker login --username $registry_user --password-stdin ${registry%%/*}" <"$registry_token_file" >/dev/null
  fi
  # Exactly what is committed, whatever lies in the clone. A transfer that breaks off leaves no release.
  git -C "$clone" archive "$revision" -- compose monitoring deploy |
    remote "mkdir -p $home/releases && rm -rf $release.part && mkdir $release.part && tar -xf - -C $release.part && rm -rf $release.old && { [ ! -e $release ] || mv $release $release.old; } && mv $release.part $release && rm -rf $release.old"
fi

# The half that runs over there comes with the call: a droplet never has an old one.
remote "bash -s -- $verb $home $revision $keep $timeout $dry_run" <"$here/release-on-droplet.sh"
