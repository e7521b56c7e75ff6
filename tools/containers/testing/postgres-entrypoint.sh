#!/bin/sh
# What the tests need of the entrypoint of the image of PostgreSQL: a cluster, its user and its database on the first start.
set -eu
if [ "$(id -u)" = 0 ]; then
  # The secret belongs to the user of the services.
  POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
  export POSTGRES_PASSWORD
  chown -R postgres:postgres "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups sh "$0"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  secret=$(mktemp)
  printf '%s' "$POSTGRES_PASSWORD" >"$secret"
  initdb --username="$POSTGRES_USER" --pwfile="$secret" --auth-host=scram-sha-256 --auth-local=trust --pgdata="$PGDATA" >/dev/null
  rm "$secret"
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  pg_ctl --pgdata="$PGDATA" --wait --options='-c listen_addresses= -k /tmp' start >/dev/null
  psql --quiet --host=/tmp --username="$POSTGRES_USER" --dbname=postgres --command="create database \"$POSTGRES_DB\""
  pg_ctl --pgdata="$PGDATA" --wait stop >/dev/null
fi
unset POSTGRES_PASSWORD
exec postgres -D "$PGDATA" -c listen_addresses='*' -k /tmp
