#!/bin/sh
# Writes one compressed dump and keeps the last fourteen.
set -eu

target="/var/backup/shop-$(date +%Y%m%d-%H%M%S).dump"
pg_dump --format=custom --file="$target" "${DATABASE_URL:?}"
ls -1t /var/backup/shop-*.dump | tail -n +15 | xargs -r rm --
