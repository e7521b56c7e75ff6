#!/bin/sh
# Queues a refresh of one supplier's price list.
set -eu

supplier=${1:?usage: refresh-prices.sh SUPPLIER}
redis-cli -u "${REDIS_URL:?}" RPUSH jobs "{\"kind\":\"refresh-prices\",\"supplier\":\"$supplier\"}"
