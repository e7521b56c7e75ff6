#!/bin/sh
# Makes the secrets of the stack where they are missing, one a file: compose/make-secrets.sh [FOLDER]
# Files belong to the user that the services run as (DEVMESH_UID, 1000), and nobody else reads them. What is there stays.
set -eu
folder=${1:-${DEVMESH_SECRETS:-$(dirname "$0")/secrets}}
umask 077
mkdir -p "$folder"
make() { # name, what its text begins with
  [ -s "$folder/$1" ] || printf '%s%s\n' "${2:-}" "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" >"$folder/$1"
}
for name in internal-token postgres-password queue-password backup-key; do make "$name"; done
make api-key dm_
# Empty where no store of backups wants one.
[ -e "$folder/s3-secret-access-key" ] || : >"$folder/s3-secret-access-key"
if [ "$(id -u)" -eq 0 ]; then chown -R "${DEVMESH_UID:-1000}:${DEVMESH_GID:-1000}" "$folder"; fi
echo "secrets are in $folder; the API key of the mesh is in $folder/api-key"
