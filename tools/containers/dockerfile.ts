import { SERVICE_NAMES, SERVICES, type ServiceName } from '@devmesh/contracts/services';
import { sbomArguments } from './sbom.ts';

const HEADER = '# Generated: node tools/containers/main.ts';

/** What a service's process is started with, below `/app`. */
export function commandOf(service: ServiceName, more: readonly string[] = []): string[] {
  return [
    'node',
    ...more,
    `--max-old-space-size=${SERVICES[service].heapMb}`,
    '--enable-source-maps',
    '--import',
    '/app/libs/service-kit/dist/tracing/register.js',
    `/app/apps/${service}/dist/main.js`,
  ];
}

const PROBE =
  'fetch(`http://127.0.0.1:${process.env.DEVMESH_PORT}/health/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))';

/** One stage for each service on top of a shared one. `pnpm` is the version that the clone itself is installed with. */
export function dockerfile(pnpm: string): string {
  return `${HEADER}
# docker build --file deploy/docker/Dockerfile --target gateway --tag devmesh/gateway:local .
# With NODE_DIGEST=sha256:... the base is that very image, and no other that bears its name.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim
ARG NODE_DIGEST=

FROM \${NODE_IMAGE}\${NODE_DIGEST:+@\${NODE_DIGEST}} AS build
ENV CI=true
WORKDIR /src
COPY . .
# The first install is for the compiler; the second leaves what services need to run.
RUN --mount=type=cache,target=/root/.local/share/pnpm/store \\
  npx --yes pnpm@${pnpm} install --frozen-lockfile \\
  && node_modules/.bin/tsc -b \\
  && rm -rf node_modules apps/*/node_modules libs/*/node_modules \\
  && npx --yes pnpm@${pnpm} install --prod --frozen-lockfile --filter-prod '{./apps/*}...' --filter-prod '!@devmesh/cli' \\
  && npx --yes pnpm@${pnpm} ${sbomArguments('/tmp/sbom').map(quoted).join(' ')} \\
  && node deploy/docker/collect.ts /out /tmp/sbom

FROM \${NODE_IMAGE}\${NODE_DIGEST:+@\${NODE_DIGEST}} AS runtime
ARG REVISION=unknown
# Versions are those of the base's Debian: its security fixes are wanted.
# hadolint ignore=DL3008
RUN apt-get update \\
  && apt-get install --yes --no-install-recommends ca-certificates git tini \\
  && rm -rf /var/lib/apt/lists/* /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn* \\
  && mkdir /data && chown 1000:1000 /data
COPY --from=build /out/shared /app
WORKDIR /app
ENV NODE_ENV=production DEVMESH_HOME=/data DEVMESH_HOST=0.0.0.0 DEVMESH_REVISION=\${REVISION}
LABEL org.opencontainers.image.title="Devmesh" org.opencontainers.image.revision=\${REVISION}
USER 1000:1000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["node", "-e", ${JSON.stringify(PROBE)}]
ENTRYPOINT ["tini", "--"]

${SERVICE_NAMES.map(stage).join('\n\n')}
`;
}

const quoted = (word: string): string => (/^[\w./:=-]+$/.test(word) ? word : `'${word}'`);

function stage(service: ServiceName): string {
  const { port } = SERVICES[service];
  return `FROM runtime AS ${service}
COPY --from=build /out/apps/${service} /app/apps/${service}
ENV DEVMESH_SERVICE=${service} DEVMESH_PORT=${port}
EXPOSE ${port}
CMD ${JSON.stringify(commandOf(service)).replaceAll('","', '", "')}`;
}
