import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runRules } from '@devmesh/analysis/findings/run-rules';
import { parseDockerfile } from '@devmesh/analysis/parse/dockerfile';
import { RULES } from '@devmesh/analysis/rules/catalogue';
import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import { tempTree, type TempTree } from '@devmesh/analysis/testing/temp-tree';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { writeTreeFile } from '@devmesh/analysis/tree/write-file';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { proposeFiles, type Proposal } from './propose-files.js';

const trees: { remove(): void }[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) tree.remove();
});

function treeOf(files: Record<string, string>): TempTree {
  const tree = tempTree(files);
  trees.push(tree);
  return tree;
}

async function propose(path: string): Promise<Proposal> {
  const tree = await SourceTree.open(path);
  return proposeFiles(tree, await detectStack(tree));
}

const EXPRESS = {
  'package.json': JSON.stringify({
    name: 'web',
    engines: { node: '>=20' },
    scripts: { start: 'node server.js' },
    dependencies: { express: '^5.0.0', pg: '^8.0.0' },
  }),
  'package-lock.json': '{}',
  'server.js': `import express from 'express';
import pg from 'pg';
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const secret = process.env.SESSION_SECRET;
const app = express();
app.get('/healthz', (_request, response) => response.send('ok'));
app.listen(process.env.PORT || 3000);
`,
};

interface Compose {
  services: Record<
    string,
    { image?: string; environment?: Record<string, string>; depends_on?: Record<string, unknown>; ports?: string[] }
  >;
  volumes?: Record<string, unknown>;
}

function composeOf(proposal: Proposal): Compose {
  return parse(proposal.files.get('compose.yaml') ?? '') as Compose;
}

/** What every Dockerfile of ours must be: readable, quiet under the rules, with a program that gets its signals. */
function expectSound(dockerfile: string): void {
  const parsed = parseDockerfile(dockerfile);
  expect(parsed.valid).toBe(true);
  expect(runRules(RULES, 'dockerfile', dockerfile).hits).toEqual([]);
  expect(parsed.stages).toHaveLength(2);
  expect(parsed.instructions.findLast(({ keyword }) => keyword === 'CMD')?.value).toMatch(/^\["/);
}

describe('images of Node.js', () => {
  it('builds on the version that the range admits, from the lockfile, without root', async () => {
    const dockerfile = (await propose(treeOf(EXPRESS).path)).files.get('Dockerfile') ?? '';
    expectSound(dockerfile);
    expect(dockerfile).toContain('FROM node:24-bookworm-slim');
    expect(dockerfile).toContain('COPY package.json package-lock.json ./\nRUN npm ci --omit=dev\nCOPY . .');
    expect(dockerfile).toContain('USER 1000');
    expect(dockerfile).toContain('CMD ["node","server.js"]');
    expect(dockerfile).toContain('http://127.0.0.1:3000/healthz');
  });

  it('has a health check only where the code has such a route', async () => {
    const files = { ...EXPRESS, 'server.js': EXPRESS['server.js'].replace('/healthz', '/orders') };
    expect((await propose(treeOf(files).path)).files.get('Dockerfile')).not.toContain('HEALTHCHECK');
  });

  it('installs without a lockfile, and says what that means', async () => {
    const { 'package-lock.json': _lock, ...files } = EXPRESS;
    const dockerfile = (await propose(treeOf(files).path)).files.get('Dockerfile') ?? '';
    expect(dockerfile).toContain('npm install --omit=dev');
    expect(dockerfile).toContain('No lockfile');
  });

  it('keeps development packages where the start script needs them', async () => {
    const files = {
      ...EXPRESS,
      'package.json': JSON.stringify({
        scripts: { start: 'tsx server.ts' },
        dependencies: { express: '5' },
        devDependencies: { tsx: '4' },
      }),
      'server.ts': EXPRESS['server.js'],
    };
    const dockerfile = (await propose(treeOf(files).path)).files.get('Dockerfile') ?? '';
    expectSound(dockerfile);
    expect(dockerfile).not.toContain('omit=dev');
    expect(dockerfile).toContain('CMD ["npm","run","start"]');
  });

  it('installs a member of a workspace from its root', async () => {
    const proposal = await propose(
      treeOf({
        'package.json': '{"name": "all", "private": true, "packageManager": "pnpm@10.2.0"}',
        'pnpm-workspace.yaml': 'packages: [apps/*]\n',
        'pnpm-lock.yaml': "lockfileVersion: '9.0'\n",
        'apps/web/package.json': EXPRESS['package.json'],
        'apps/web/server.js': EXPRESS['server.js'],
      }).path,
    );
    const dockerfile = proposal.files.get('apps/web/Dockerfile') ?? '';
    expectSound(dockerfile);
    expect(dockerfile).toContain('pnpm@10.2.0');
    expect(dockerfile).toContain(
      'COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./\nCOPY apps/web/package.json apps/web/',
    );
    expect(dockerfile).toContain('WORKDIR /app/apps/web');
    expect(proposal.files.has('.dockerignore')).toBe(true);
    expect(composeOf(proposal).services['web']).toMatchObject({
      build: { context: '.', dockerfile: 'apps/web/Dockerfile' },
    });
  });

  it.each([
    ['a folder', 'a b/', 'web'],
    ['a package', '', 'web; touch x'],
  ])('lets no name of %s become an instruction', async (_what, folder, name) => {
    const content = EXPRESS['package.json'].replace('"web"', JSON.stringify(name));
    const proposal = await propose(
      treeOf({ [`${folder}package.json`]: content, [`${folder}server.js`]: EXPRESS['server.js'] }).path,
    );
    expect(proposal.files.size).toBe(0);
    expect(proposal.withoutImage).toMatchObject([{ reason: expect.stringContaining('names with blanks') as string }]);
  });

  it('writes none for a library, and says why', async () => {
    const proposal = await propose(
      treeOf({ 'package.json': '{"name": "lib"}', 'index.js': 'export const one = 1;\n' }).path,
    );
    expect(proposal.files.size).toBe(0);
    expect(proposal.withoutImage).toEqual([{ name: 'lib', reason: 'nothing says how it is started' }]);
  });
});

describe('images of Python', () => {
  const FASTAPI = {
    'pyproject.toml':
      '[project]\nname = "api"\nrequires-python = ">=3.11,<3.13"\ndependencies = ["fastapi", "uvicorn"]\n',
    'uv.lock': 'version = 1\n',
    'api/main.py':
      'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/health")\ndef health():\n    return {}\n',
  };

  it('starts the application that it found with the server that is declared', async () => {
    const dockerfile = (await propose(treeOf(FASTAPI).path)).files.get('Dockerfile') ?? '';
    expectSound(dockerfile);
    expect(dockerfile).toContain('FROM python:3.12-slim-bookworm');
    expect(dockerfile).toContain('uv sync --active --frozen --no-dev');
    expect(dockerfile).toContain('CMD ["uvicorn","api.main:app","--host","0.0.0.0","--port","8000"]');
    expect(dockerfile).toContain('USER 10001');
  });

  it('guesses no way to start it', async () => {
    const files = { ...FASTAPI, 'pyproject.toml': FASTAPI['pyproject.toml'].replace(', "uvicorn"', '') };
    expect((await propose(treeOf(files).path)).withoutImage).toEqual([
      { name: 'api', reason: 'nothing says how it is started' },
    ]);
  });
});

describe('compose file', () => {
  it('has the services that the code uses, and no value of a secret', async () => {
    const proposal = await propose(treeOf(EXPRESS).path);
    const text = proposal.files.get('compose.yaml') ?? '';
    const compose = composeOf(proposal);
    expect(Object.keys(compose.services)).toEqual(['web', 'postgres']);
    expect(compose.services['postgres']?.image).toMatch(/^postgres:\d+\.\d+$/);
    expect(compose.services['web']?.environment).toEqual({
      DATABASE_URL: 'postgresql://app:${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD in .env}@postgres:5432/app',
      SESSION_SECRET: '${SESSION_SECRET:?set SESSION_SECRET in .env}',
    });
    expect(compose.services['web']?.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    expect(compose.volumes).toEqual({ 'postgres-data': {} });
    for (const line of text.split('\n')) if (/PASSWORD|SECRET/.test(line)) expect(line).toContain(':?');
  });

  it('takes no dependency for a use', async () => {
    const files = { ...EXPRESS, 'server.js': EXPRESS['server.js'].replace(/.*pg.*\n/g, '') };
    expect(Object.keys(composeOf(await propose(treeOf(files).path)).services)).toEqual(['web']);
  });
});

describe('what is there already', () => {
  it('is kept, under any of its names and as a link too', async () => {
    const tree = treeOf({
      ...EXPRESS,
      Dockerfile: 'FROM node:22\nEXPOSE 4100\n',
      'docker-compose.yml': 'services: {}\n',
    });
    const proposal = await propose(tree.path);
    expect([...proposal.files.keys()]).toEqual([]);
    expect(proposal.kept.map(({ path }) => path)).toEqual(['Dockerfile', 'docker-compose.yml']);
  });

  it('is the whole of it the second time', async () => {
    const tree = treeOf(EXPRESS);
    for (const [path, content] of (await propose(tree.path)).files)
      await writeTreeFile(tree.path, path, content, 'new');
    const again = await propose(tree.path);
    expect([...again.files.keys()]).toEqual([]);
    expect(again.kept.map(({ path }) => path)).toEqual(['Dockerfile', 'compose.yaml']);
  });
});

describe('the sample repository', () => {
  const examples = fileURLToPath(new URL('../../../../examples/', import.meta.url));
  const expected = JSON.parse(readFileSync(join(examples, 'shop.expected.json'), 'utf8')) as {
    files: { written: string[]; kept: string[] };
  };

  it('gets what its table says, and nothing the second time', async () => {
    const root = join(mkdtempSync(join(tmpdir(), 'shop ')), 'shop');
    trees.push({ remove: () => rmSync(dirname(root), { recursive: true, force: true }) });
    cpSync(join(examples, 'shop'), root, { recursive: true });
    const proposal = await propose(root);
    const mine = expected.files.written.filter((path) => !path.startsWith('.github/'));
    expect([...proposal.files.keys()].sort()).toEqual(mine.sort());
    expect(proposal.kept.map(({ path }) => path).sort()).toEqual(expected.files.kept.sort());
    for (const [path, content] of proposal.files) if (path.endsWith('Dockerfile')) expectSound(content);
    const compose = composeOf(proposal);
    expect(Object.keys(compose.services)).toEqual(['api', 'storefront', 'worker', 'postgres', 'redis']);
    expect(compose.services['storefront']?.environment).toEqual({ API_URL: 'http://api:4000' });
    for (const [path, content] of proposal.files) await writeTreeFile(root, path, content, 'new');
    expect([...(await propose(root)).files.keys()]).toEqual([]);
  });
});
