import { DEFAULT_INSPECTOR_BASE, SERVICE_NAMES, SERVICES } from '@devmesh/contracts/services';
import { launch } from './launch.ts';

const HEADER = '// Generated: node tools/editor/main.ts';

const shell = (label: string, command: string, more: object = {}): object => ({
  label,
  type: 'shell',
  command,
  problemMatcher: [],
  ...more,
});

const tasks = {
  version: '2.0.0',
  tasks: [
    shell('build', 'node_modules/.bin/tsc -b', {
      problemMatcher: '$tsc',
      group: { kind: 'build', isDefault: true },
      presentation: { reveal: 'silent' },
    }),
    shell('build on every change', 'node_modules/.bin/tsc -b --watch', {
      problemMatcher: '$tsc-watch',
      isBackground: true,
    }),
    shell('up', './devmesh up'),
    shell('up with inspectors', './devmesh up --inspect'),
    shell('down', './devmesh down'),
    shell('status', './devmesh status'),
    shell('test', './devmesh test', { group: { kind: 'test', isDefault: true } }),
    shell('test: checks', './devmesh test --only checks', { group: 'test' }),
    shell('test: unit', './devmesh test --only unit', { group: 'test' }),
  ],
};

/** What the editor shows of the ports that it forwards from a remote machine or a container. */
const portsAttributes = {
  ...Object.fromEntries(
    SERVICE_NAMES.map((name) => [
      String(SERVICES[name].port),
      // People use the gateway; the others are for who looks closer, and want a token.
      { label: name, onAutoForward: name === 'gateway' ? 'notify' : 'silent' },
    ]),
  ),
  // The debugger runs where the mesh does: its ports have no business on the machine of the editor.
  ...Object.fromEntries(
    SERVICE_NAMES.map((name, i) => [
      String(DEFAULT_INSPECTOR_BASE + i),
      { label: `inspector of ${name}`, onAutoForward: 'ignore' },
    ]),
  ),
};

const generated = ['**/dist', '**/*.tsbuildinfo', '**/.nx', '**/coverage'];
const settings = {
  'editor.formatOnSave': true,
  'editor.defaultFormatter': 'esbenp.prettier-vscode',
  'prettier.prettierPath': 'node_modules/prettier',
  'typescript.preferences.importModuleSpecifierEnding': 'js',
  'debug.javascript.autoAttachFilter': 'disabled',
  'files.exclude': Object.fromEntries(generated.map((glob) => [glob, true])),
  // Thousands of files that change while the mesh works: on a small droplet, watching them is what takes the memory.
  'files.watcherExclude': Object.fromEntries(
    ['**/node_modules/**', '**/dist/**', '**/.devmesh/**', '**/.nx/**'].map((glob) => [glob, true]),
  ),
  'search.exclude': { '**/.devmesh': true, 'pnpm-lock.yaml': true, 'libs/engine/recorded': true },
  'remote.autoForwardPorts': true,
  'remote.autoForwardPortsSource': 'process',
  'remote.portsAttributes': portsAttributes,
  'remote.otherPortsAttributes': { onAutoForward: 'ignore' },
};

const EXTENSIONS = ['esbenp.prettier-vscode', 'oxc.oxc-vscode', 'vitest.explorer'];
const extensions = {
  recommendations: [...EXTENSIONS, 'ms-vscode-remote.remote-ssh', 'ms-vscode-remote.remote-containers'],
};

const devcontainer = {
  name: 'devmesh',
  image: 'mcr.microsoft.com/devcontainers/javascript-node:24-bookworm',
  remoteUser: 'node',
  // Sets up and builds the clone, as the first call of the command does anywhere.
  postCreateCommand: './devmesh --version',
  forwardPorts: [SERVICES.gateway.port],
  portsAttributes,
  otherPortsAttributes: { onAutoForward: 'ignore' },
  hostRequirements: { cpus: 2, memory: '4gb' },
  customizations: { vscode: { extensions: EXTENSIONS } },
};

/** The mesh as tools of the editor's assistant. The key is asked for once and kept by the editor, never in a file of the clone. */
const mcp = {
  inputs: [
    {
      type: 'promptString',
      id: 'devmesh-key',
      description: 'API key of the mesh: of one on this machine it is in .devmesh/api-key',
      password: true,
    },
  ],
  servers: {
    devmesh: {
      type: 'http',
      url: `http://127.0.0.1:${SERVICES.gateway.port}/mcp`,
      headers: { Authorization: 'Bearer ${input:devmesh-key}' },
    },
  },
};

const json = (content: object): string => `${HEADER}\n${JSON.stringify(content, null, 2)}\n`;

/** Every file for editors, by its path in the clone. */
export function editorFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['.vscode/launch.json', json(launch())],
    ['.vscode/tasks.json', json(tasks)],
    ['.vscode/settings.json', json(settings)],
    ['.vscode/extensions.json', json(extensions)],
    ['.vscode/mcp.json', json(mcp)],
    ['.devcontainer/devcontainer.json', json(devcontainer)],
  ]);
}
