# Stand-ins for images that a machine without a registry can't pull, from Debian's packages and a Consul that was built: the tests give them
# the names that compose wants. Not what anybody deploys.
ARG BASE=node:24.21.0-bookworm-slim

FROM ${BASE} AS postgres
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql && rm -rf /var/lib/apt/lists/*
COPY postgres-entrypoint.sh /usr/local/bin/entrypoint.sh
ENV PGDATA=/var/lib/postgresql/data
RUN ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/ 2>/dev/null; mkdir -p "$PGDATA" && chown postgres:postgres "$PGDATA"
ENTRYPOINT ["sh", "/usr/local/bin/entrypoint.sh"]

FROM ${BASE} AS valkey
RUN apt-get update && apt-get install --yes --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/* \
  && ln -s /usr/bin/redis-server /usr/local/bin/valkey-server && ln -s /usr/bin/redis-cli /usr/local/bin/valkey-cli

FROM ${BASE} AS consul
COPY consul /usr/local/bin/consul
ENTRYPOINT ["consul"]
