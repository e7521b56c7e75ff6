#!/bin/sh
# Fills an empty database with the catalogue of the demo shop.
set -eu

for file in api/migrations/*.sql ops/seed.sql; do
  psql "${DATABASE_URL:?}" --set ON_ERROR_STOP=1 --file "$file"
done
