import { DEFAULT_INSPECTOR_BASE, SERVICE_NAMES, SERVICES, type ServiceName } from '@devmesh/contracts/services';

const WORKSPACE = '${workspaceFolder}';
/** One that is started by the editor listens this far above its usual port, so that it can run beside the mesh. */
const BESIDE = 100;

const inspectorPort = (name: ServiceName): number => DEFAULT_INSPECTOR_BASE + SERVICE_NAMES.indexOf(name);

/** What every configuration about a service says: how to get from what runs to the TypeScript. */
const sources = {
  type: 'node',
  sourceMaps: true,
  outFiles: [`${WORKSPACE}/{apps,libs}/*/dist/**/*.js`],
  resolveSourceMapLocations: [`${WORKSPACE}/{apps,libs}/*/dist/**`],
  skipFiles: ['<node_internals>/**', '**/node_modules/.pnpm/**'],
};

const attach = (name: ServiceName): object => ({
  name: `attach: ${name}`,
  ...sources,
  request: 'attach',
  address: '127.0.0.1',
  port: inspectorPort(name),
  cwd: WORKSPACE,
  // The supervisor starts a service again that died, at the same port.
  restart: { delay: 1_000, maxAttempts: 30 },
  presentation: { group: '1 attach to the mesh' },
});

const start = (name: ServiceName): object => ({
  name: `start: ${name}`,
  ...sources,
  request: 'launch',
  runtimeExecutable: `${WORKSPACE}/node_modules/.bin/node`,
  runtimeArgs: ['--enable-source-maps'],
  program: `${WORKSPACE}/apps/${name}/dist/main.js`,
  cwd: WORKSPACE,
  env: {
    DEVMESH_HOME: `${WORKSPACE}/.devmesh`,
    DEVMESH_PORT: String(SERVICES[name].port + BESIDE),
    DEVMESH_ENDPOINTS: JSON.stringify(
      Object.fromEntries(SERVICE_NAMES.map((each) => [each, [`http://127.0.0.1:${SERVICES[each].port}`]])),
    ),
    DEVMESH_INTERNAL_TOKEN_FILE: `${WORKSPACE}/.devmesh/secrets/internal-token`,
    LOG_LEVEL: 'debug',
    ...OWN[name],
  },
  preLaunchTask: 'build',
  presentation: { group: '2 start beside the mesh' },
});

/** Settings that one service alone needs. */
const OWN: { readonly [name in ServiceName]?: Readonly<Record<string, string>> } = {
  orchestrator: {
    // It resumes the runs of its own name, so no other may have it.
    DEVMESH_ORCHESTRATOR_NAME: 'orchestrator-editor',
    DEVMESH_QUEUE_DATABASE_URL_FILE: `${WORKSPACE}/.devmesh/secrets/queue-database-url`,
  },
  'state-persistence': { DATABASE_URL_FILE: `${WORKSPACE}/.devmesh/secrets/database-url` },
};

const container = (name: ServiceName): object => ({
  name: `container: ${name}`,
  ...sources,
  request: 'attach',
  address: '127.0.0.1',
  port: inspectorPort(name),
  localRoot: WORKSPACE,
  remoteRoot: '/app',
  restart: true,
  presentation: { group: '3 attach to containers' },
});

export function launch(): object {
  return {
    version: '0.2.0',
    configurations: [
      ...SERVICE_NAMES.map(attach),
      ...SERVICE_NAMES.map(start),
      ...SERVICE_NAMES.map(container),
      {
        name: 'container: by deploy/debug-agent.sh',
        ...sources,
        request: 'attach',
        address: '127.0.0.1',
        port: 9229,
        localRoot: WORKSPACE,
        remoteRoot: '/app',
        presentation: { group: '3 attach to containers' },
      },
      {
        name: 'test: this file',
        type: 'node',
        request: 'launch',
        runtimeExecutable: `${WORKSPACE}/node_modules/.bin/node`,
        program: `${WORKSPACE}/node_modules/vitest/vitest.mjs`,
        args: ['run', '${relativeFile}', '--testTimeout', '0', '--hookTimeout', '0'],
        cwd: WORKSPACE,
        autoAttachChildProcesses: true,
        skipFiles: ['<node_internals>/**', '**/node_modules/.pnpm/**'],
        console: 'integratedTerminal',
        presentation: { group: '4 tests' },
      },
    ],
    compounds: [
      {
        name: 'mesh',
        configurations: SERVICE_NAMES.map((name) => `attach: ${name}`),
        preLaunchTask: 'up with inspectors',
        stopAll: true,
        presentation: { group: '1 attach to the mesh', order: 1 },
      },
      {
        name: 'mesh in containers',
        configurations: SERVICE_NAMES.map((name) => `container: ${name}`),
        stopAll: true,
        presentation: { group: '3 attach to containers', order: 1 },
      },
    ],
  };
}
