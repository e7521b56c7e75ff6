#!/usr/bin/env bash
# The half of deploy-to-droplet.sh that runs on the droplet, and comes with each call:
#   release-on-droplet.sh deploy|rollback HOME REVISION KEEP TIMEOUT_SECONDS DRY_RUN(yes|no)
# HOME/releases/REVISION holds the files of a release; HOME/current and HOME/previous point to one; HOME/shared outlives them.
# Exit code: 0 it runs; 1 it does not, and what ran before does; 3 a person has to look.
set -euo pipefail

verb=$1 home=$2 revision=$3 keep=$4 timeout=$5 dry_run=$6
# Pulling wants room for a second set of images, kB.
least_free=$((4 * 1024 * 1024))
[ -z "${DEVMESH_DEPLOY_LEAST_FREE_KB:-}" ] || least_free=$DEVMESH_DEPLOY_LEAST_FREE_KB
pause=${DEVMESH_DEPLOY_PAUSE:-2}

say() { printf '%s\n' "droplet: $*" || true; }
trouble() { printf '%s\n' "droplet: $*" >&2 || true; }

name_of() {
  local target
  target=$(readlink "$home/$1") || return 0
  basename "$target"
}

# A new link takes the place of the old one in one step.
point() {
  ln -sfn "releases/$2" "$home/$1.new"
  mv -T "$home/$1.new" "$home/$1"
}

compose() {
  local release=$1
  shift
  (cd "$home/releases/$release" && IMAGE_TAG=$release COMPOSE_PROJECT_NAME=devmesh \
    COMPOSE_FILE=compose/docker-compose.yml:compose/docker-compose.production.yml \
    docker compose --env-file "$home/shared/.env" "$@")
}

# One line for each container: service, state, health ('' where the image has no check), exit code.
states() { compose "$1" ps --all --format '{{.Service}}|{{.State}}|{{.Health}}|{{.ExitCode}}'; }

# Those that are not as they must be. One that ends by itself, such as a migration, ended with 0.
ailing() { awk -F'|' '!($2 == "running" && ($3 == "" || $3 == "healthy")) && !($2 == "exited" && $4 == "0") { print $1 }'; }

wait_healthy() {
  local release=$1 until=$((SECONDS + timeout)) found
  while :; do
    found=$(states "$release")
    if [ -n "$found" ] && [ -z "$(ailing <<<"$found")" ]; then return 0; fi
    [ "$SECONDS" -lt "$until" ] || break
    sleep "$pause"
  done
  return 1
}

tail_logs() {
  local release=$1 service
  for service in $(states "$release" | ailing | sort -u); do
    trouble "--- $service is not healthy; the end of its log:"
    compose "$release" logs --no-color --tail 100 "$service" >&2 || true
  done
}

start() { compose "$1" up --detach --no-build --pull never --remove-orphans --quiet-pull; }

running() { [ -n "$1" ] && [ -z "$(states "$1" | ailing)" ] && [ -n "$(states "$1")" ]; }

# Removes releases and images that nobody goes back to any more. Never volumes, never an image of somebody else, never one of
# a release that stays; and only after the new one was healthy.
prune() {
  local name at=0 registry stays image tag
  stays=" $(name_of current) $(name_of previous) "
  while read -r name; do
    [[ $name =~ ^[0-9a-f]{40}$ ]] || continue
    at=$((at + 1))
    if [ "$at" -le "$keep" ]; then
      stays+="$name "
    elif [[ $stays != *" $name "* ]]; then
      say "removing release $name"
      rm -rf "${home:?}/releases/$name"
    fi
  done < <(ls -1t "$home/releases")
  registry=$(sed -n 's/^IMAGE_REGISTRY=//p' "$home/shared/.env")
  [ -n "$registry" ] || return 0
  while read -r image; do
    tag=${image##*:}
    [[ $tag =~ ^[0-9a-f]{40}$ ]] || continue
    [[ $stays == *" $tag "* ]] && continue
    say "removing image $image"
    # One that a container still uses stays: docker says so, and nothing is forced.
    docker image rm "$image" >/dev/null || true
  done < <(docker image ls --filter "reference=$registry/*" --format '{{.Repository}}:{{.Tag}}')
}

give_back() {
  local before=$1 previous=$2
  if [ -z "$before" ] || [ ! -d "$home/releases/$before" ]; then
    trouble "there is no release before this one: $revision stays as it is, not healthy"
    exit 3
  fi
  trouble "going back to $before"
  point current "$before"
  # As it was: what is current again is not what one goes back to from it.
  if [ -n "$previous" ] && [ "$previous" != "$before" ]; then point previous "$previous"; else rm -f "$home/previous"; fi
  if start "$before" && wait_healthy "$before"; then
    trouble "$before runs again; $revision did not become healthy within $timeout s"
    exit 1
  fi
  tail_logs "$before"
  trouble "$before is not healthy either. When its state-persistence says that the database is of a later version, restore the backup from before (docs/backup-and-recovery.md), or deploy forward"
  exit 3
}

# In a function, so that all of it is read before any of it runs: a program that reads standard input would eat the rest.
main() {
  if [ "$dry_run" = no ]; then
    mkdir -p "$home/releases" "$home/shared"
    exec 9>"$home/shared/deploy.lock"
    flock --nonblock 9 || {
      trouble 'another deployment is under way: wait for its end'
      exit 3
    }
  fi

  current=$(name_of current)
  previous=$(name_of previous)
  if [ "$verb" = rollback ]; then
    revision=$previous
    if [ -z "$revision" ] || [ "$revision" = "$current" ]; then
      trouble 'there is no release to go back to'
      exit 3
    fi
  fi
  if [ "$revision" = "$current" ] && running "$current"; then
    say "$revision runs already, all healthy: nothing to do"
    exit 0
  fi
  if [ "$dry_run" = yes ]; then
    say "would bring the files of $revision, pull its images, start it, and wait $timeout s until all are healthy"
    say "now: ${current:-nothing}; on failure: back to ${current:-nothing}; keeps $keep releases"
    exit 0
  fi
  [ -e "$home/shared/.env" ] || {
    trouble "$home/shared/.env is missing: run prepare-droplet.sh as root"
    exit 3
  }
  free=$(df --output=avail -k "$home" | tail -1)
  [ "$free" -ge "$least_free" ] || {
    trouble "only $((free / 1024)) MB free for $home: nothing was changed; make room, or enlarge the volume"
    exit 1
  }

  say "pulling the images of $revision"
  compose "$revision" pull --quiet || {
    trouble "the images of $revision can't be pulled: nothing was changed; look at the tag and at docker login"
    exit 1
  }
  [ "$revision" = "$current" ] || {
    [ -z "$current" ] || point previous "$current"
    point current "$revision"
  }
  say "starting $revision"
  if ! start "$revision" || ! wait_healthy "$revision"; then
    tail_logs "$revision"
    # A second try of what was current has nothing else to go back to than what was before it.
    if [ "$revision" = "$current" ]; then give_back "$previous" ''; else give_back "$current" "$previous"; fi
  fi
  say "$revision runs, all healthy"
  prune
}
# Whoever called may be cut off: what was begun is brought to its end all the same.
trap '' HUP PIPE
main </dev/null
