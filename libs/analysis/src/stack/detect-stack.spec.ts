import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from '@devmesh/contracts/stack';
import { afterEach, describe, expect, it } from 'vitest';
import { mutateSample } from '../testing/mutations.js';
import { readSample, SAMPLE_ROOT } from '../testing/sample.js';
import { tempTree } from '../testing/temp-tree.js';
import { SourceTree } from '../tree/source-tree.js';
import type { StackReport } from './component-report.js';
import { detectStack } from './detect-stack.js';

const trees: { remove(): void }[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) tree.remove();
});

async function detect(
  files: Record<string, string | Uint8Array>,
  links: Record<string, string> = {},
): Promise<StackReport> {
  const tree = tempTree(files);
  trees.push(tree);
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(tree.path, path));
  const report = await detectStack(await SourceTree.open(tree.path));
  Stack.parse(report.stack);
  return report;
}

/** The values of the first component, without their evidence. */
async function values(files: Record<string, string>): Promise<Record<string, unknown>> {
  const [component] = (await detect(files)).stack.components;
  return Object.fromEntries(
    Object.entries(component ?? {}).map(([name, value]) => [
      name,
      typeof value === 'object' && 'value' in value
        ? value.value
        : Array.isArray(value)
          ? value.map((one) => one.value)
          : value,
    ]),
  );
}

const manifest = (content: object): string => JSON.stringify({ name: 'web', ...content }, null, 2);
const EXPRESS = { dependencies: { express: '^5' } };
const app = (listen: string): string => `import express from 'express';\nconst app = express();\n${listen}\n`;

describe('ports of JavaScript', () => {
  it.each([
    ['a literal', 'app.listen(8081);', '8081'],
    ['a default of the environment', 'app.listen(process.env.PORT || 8081);', '8081'],
    ['a conversion', "app.listen(parseInt(process.env.PORT ?? '8081', 10), () => {});", '8081'],
    ['a constant', 'const port = Number(process.env.PORT ?? 8081);\napp.listen(port);', '8081'],
    ['a ternary', 'app.listen(process.env.PORT ? +process.env.PORT : 8081);', '8081'],
    ['an object', "app.listen({ host: '0.0.0.0', port: 8081 });", '8081'],
    ['a default while destructuring', 'const { PORT = 8081 } = process.env;\napp.listen(PORT);', '8081'],
    ['a local of a function', 'function start() {\n  const at = 8081;\n  app.listen(at);\n}\nstart();', '8081'],
    ['only the environment', 'app.listen(process.env.PORT);', undefined],
    ['any free one', 'app.listen(0);', undefined],
    ['two different ones', 'app.listen(8081);\nother.listen(8082);', undefined],
  ])('%s', async (_what, listen, port) => {
    expect((await values({ 'package.json': manifest(EXPRESS), 'server.js': app(listen) }))['port']).toBe(port);
  });

  it.each([
    [
      'a member of an imported object',
      "import { config } from './config.js';",
      'config.port',
      'export const config = { port: Number(process.env.PORT ?? 8081) };',
    ],
    ['an imported constant', "import { PORT as at } from './config.js';", 'at', 'export const PORT = 8081;'],
    ['a default export', "import settings from './config.js';", 'settings.port', 'export default { port: 8081 };'],
    [
      'an alias that is not followed',
      "import { config } from '@/config';",
      'config.port',
      'export const config = { port: 8081 };',
    ],
  ])('%s', async (_what, line, expression, config) => {
    const files = {
      'package.json': manifest(EXPRESS),
      'server.js': `${line}\n${app(`app.listen(${expression});`)}`,
      'config.js': config,
    };
    const { port } = (await detect(files)).stack.components[0]!;
    expect(port?.value).toBe('8081');
    expect(port?.evidence.map(({ path }) => path)).toEqual(['config.js', 'server.js']);
  });

  it('ports of tests are no ports of the component', async () => {
    const files = { 'package.json': manifest(EXPRESS), 'a.js': app(''), 'test/a.test.js': app('app.listen(9999);') };
    expect((await values(files))['port']).toBeUndefined();
  });

  it('EXPOSE and a sample environment tell where code does not', async () => {
    const code = app('app.listen(process.env.PORT);');
    expect(
      (
        await values({ 'package.json': manifest(EXPRESS), 'a.js': code, Dockerfile: 'FROM node:22\nEXPOSE 7000/tcp\n' })
      )['port'],
    ).toBe('7000');
    expect(
      (await values({ 'package.json': manifest(EXPRESS), 'a.js': code, '.env.example': 'A=1\nPORT=7001\n' }))['port'],
    ).toBe('7001');
    expect(
      (await values({ 'package.json': manifest(EXPRESS), 'a.js': code, Dockerfile: 'FROM node:22\nEXPOSE 1 2\n' }))[
        'port'
      ],
    ).toBeUndefined();
  });

  it('takes nothing that the mesh wrote for evidence', async () => {
    const files = {
      'package.json': manifest(EXPRESS),
      'a.js': app('app.listen(process.env.PORT);'),
      Dockerfile: '# Written by Devmesh.\nFROM node:24\nEXPOSE 7000\n',
    };
    expect(await values(files)).not.toHaveProperty('port');
    expect(await values(files)).not.toHaveProperty('runtime');
  });
});

describe('ports of Python', () => {
  const flask = (code: string): Record<string, string> => ({
    'requirements.txt': 'flask\nuvicorn\nfastapi\n',
    'app.py': `import os\nfrom flask import Flask\nimport uvicorn\nimport subprocess\napp = Flask(__name__)\n${code}\n`,
  });
  it.each([
    ['a keyword', 'app.run(port=8081)', '8081'],
    ['a position', 'app.run("0.0.0.0", 8081)', '8081'],
    ['a default of the environment', 'app.run(port=int(os.environ.get("PORT", 8081)))', '8081'],
    [
      'getenv through a local',
      'def main():\n    at = int(os.getenv("PORT", "8081"))\n    app.run(port=at)\nif __name__ == "__main__":\n    main()',
      '8081',
    ],
    ['what is known of Flask', 'app.run(debug=False)', '5000'],
    ['what is known of uvicorn', 'uvicorn.run("app:app")', '8000'],
    ['nothing of subprocess', 'subprocess.run(["x"], 8081)', undefined],
    [
      'what is reached at start',
      'def other():\n    app.run(port=1)\ndef main():\n    app.run(port=8081)\nif __name__ == "__main__":\n    main()',
      '8081',
    ],
  ])('%s', async (_what, code, port) => {
    expect((await values(flask(code)))['port']).toBe(port);
  });

  it('a member of a settings module', async () => {
    const files = {
      ...flask('from svc import settings\napp.run(port=settings.PORT)'),
      'svc/__init__.py': '',
      'svc/settings.py': 'PORT = 8081\n',
    };
    expect((await values(files))['port']).toBe('8081');
  });
});

describe('package managers, frameworks, entry points and commands', () => {
  it.each([
    [{ 'pnpm-lock.yaml': '' }, {}, 'pnpm'],
    [{ 'yarn.lock': '' }, {}, 'yarn'],
    [{ 'package-lock.json': '{}' }, { packageManager: 'pnpm@10.1.0' }, 'pnpm'],
    [{ 'package-lock.json': '{}', 'yarn.lock': '' }, {}, undefined],
    [{}, {}, 'npm'],
  ])('of Node.js: %o %o', async (files, content, manager) => {
    expect((await values({ 'package.json': manifest(content), 'a.js': '', ...files }))['packageManager']).toBe(manager);
  });

  it.each([
    [{ 'pyproject.toml': '[project]\nname = "x"\n', 'uv.lock': '' }, 'uv'],
    [{ 'pyproject.toml': '[tool.poetry]\nname = "x"\n' }, 'poetry'],
    [{ Pipfile: '[packages]\nflask = "*"\n' }, 'pipenv'],
    [{ 'requirements.txt': 'flask\n' }, 'pip'],
  ])('of Python: %o', async (files: Record<string, string>, manager) => {
    expect((await values({ 'a.py': 'x = 1\n', ...files }))['packageManager']).toBe(manager);
  });

  it.each([
    [
      'nest',
      { '@nestjs/core': '11', express: '5' },
      "import { NestFactory } from '@nestjs/core';\nimport express from 'express';",
    ],
    ['fastify', { fastify: '5' }, "const fastify = require('fastify')();"],
    ['express', { express: '5' }, "import express from 'express';"],
    [undefined, { express: '5' }, '// import express from "express";'],
    [undefined, {}, "import express from 'express';"],
  ])('%s', async (framework, dependencies, code) => {
    expect((await values({ 'package.json': manifest({ dependencies }), 'a.js': `${code}\n` }))['framework']).toBe(
      framework,
    );
  });

  it('next and vite by script or configuration', async () => {
    const next = { scripts: { start: 'next start', build: 'next build' }, dependencies: { next: '15' } };
    expect(await values({ 'package.json': manifest(next), 'a.js': '' })).toMatchObject({
      framework: 'next',
      port: '3000',
      buildCommand: 'npm run build',
    });
    const vite = { scripts: { build: 'vite build' }, devDependencies: { vite: '6' } };
    expect(await values({ 'package.json': manifest(vite), 'a.js': '' })).toMatchObject({ framework: 'vite' });
  });

  it.each([
    ['fastapi', 'fastapi', 'from fastapi import FastAPI\napp = FastAPI()\n'],
    ['django', 'django', 'import django\n'],
    ['flask', 'flask', 'from flask import Flask\napp = Flask(__name__)\n'],
    [undefined, 'requests', 'import requests\n'],
  ])('%s', async (framework, dependency, code) => {
    const found = await values({ 'requirements.txt': `${dependency}==1.0\n`, 'svc.py': code });
    expect(found['framework']).toBe(framework);
  });

  it.each([
    ['the source behind a compiled file', { scripts: { start: 'node dist/main.js' } }, 'src/main.ts'],
    [
      'flags and variables',
      { scripts: { start: 'NODE_ENV=production node --require ./a.cjs dist/main' } },
      'src/main.ts',
    ],
    ['another runner', { scripts: { dev: 'tsx watch src/main.ts' } }, 'src/main.ts'],
    ['main', { main: './dist/main.js' }, 'src/main.ts'],
    ['a file that is not there', { scripts: { start: 'node other.js' } }, undefined],
  ])('entry point by %s', async (_what, content, entry) => {
    const files = {
      'package.json': manifest(content),
      'src/main.ts': '',
      'tsconfig.json': '{ // c\n "compilerOptions": { "outDir": "./dist" } }',
    };
    expect((await values(files))['entryPoint']).toBe(entry);
  });

  it('commands only from scripts that do something', async () => {
    const scripts = { test: 'echo "Error: no test specified" && exit 1', lint: 'eslint .' };
    const found = await values({ 'package.json': manifest({ scripts }), 'a.js': '' });
    expect(found).toMatchObject({ lintCommand: 'npm run lint' });
    expect(found).not.toHaveProperty('testCommand');
    expect(found).not.toHaveProperty('startCommand');
  });
});

describe('backing services', () => {
  const node = (dependencies: object, code: string): Record<string, string> => ({
    'package.json': manifest({ dependencies }),
    'a.js': code,
  });
  it.each([
    [
      'imported and declared',
      { pg: '8', ioredis: '5' },
      "import pg from 'pg';\nimport Redis from 'ioredis';",
      ['postgres', 'redis'],
    ],
    ['required', { mysql2: '3' }, "const mysql = require('mysql2/promise');", ['mysql']],
    ['declared and never imported', { pg: '8' }, 'const pg = 1;', []],
    ['imported and not declared', {}, "import pg from 'pg';", []],
    ['imported as a type alone', { pg: '8' }, "import type { Pool } from 'pg';", []],
    ['in a comment', { mongoose: '8' }, "// import mongoose from 'mongoose'", []],
    [
      'a driver that another library loads',
      { pg: '8', knex: '3' },
      "import knex from 'knex';\nknex({ client: 'pg' });",
      ['postgres'],
    ],
    ['a broker', { amqplib: '0.10' }, "import('amqplib');", ['rabbitmq']],
  ])('%s', async (_what, dependencies, code, services) => {
    expect((await values(node(dependencies, code)))['services']).toEqual(services);
  });

  it('not those that only tests use', async () => {
    const files = { ...node({ pg: '8' }, ''), 'a.test.js': "import pg from 'pg';" };
    expect((await values(files))['services']).toEqual([]);
  });

  it('of Python, by the name of the module', async () => {
    const files = {
      'requirements.txt': 'psycopg2-binary==2.9\npymongo\ncelery\n',
      'a.py': 'import psycopg2\nfrom celery import Celery\nCelery(broker="redis://localhost")\n',
    };
    expect((await values(files))['services']).toEqual(['postgres', 'redis']);
  });

  it('says where manifest and code say so, without secrets', async () => {
    const { stack } = await detect(
      node({ pg: '8' }, "\nimport pg from 'pg';\nnew pg.Pool('postgres://a:geheim@b/c');"),
    );
    expect(stack.components[0]?.services[0]?.evidence).toEqual([
      { path: 'package.json', line: 4, says: 'depends on pg 8' },
      { path: 'a.js', line: 2, says: 'imports pg' },
      { path: 'a.js', line: 3, says: 'names postgres as its database or broker' },
    ]);
    expect(JSON.stringify(stack)).not.toContain('geheim');
  });
});

describe('routes and environment', () => {
  it('puts routes below the prefixes of their routers, across files', async () => {
    const { components } = await detect({
      'package.json': manifest(EXPRESS),
      'app.js': `${app("app.use('/api', all());\napp.get('/health', (a, b) => b.end());\nclient.get('/no', f);")}import { all } from './all.js';`,
      'all.js':
        "import { Router } from 'express';\nimport users from './users.js';\nexport function all() {\n  const router = Router();\n  router.use('/users', users);\n  return router;\n}\n",
      'users.js':
        "import { Router } from 'express';\nconst router = Router();\nrouter.get('/', f);\nrouter.post('/:id', f);\nexport default router;\n",
    });
    expect(components[0]?.routes.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      'GET /api/users',
      'GET /health',
      'POST /api/users/:id',
    ]);
    expect(components[0]?.healthPath).toBe('/health');
  });

  it('reads Nest, FastAPI, Flask and Django', async () => {
    const routes = async (files: Record<string, string>): Promise<string[]> =>
      ((await detect(files)).components[0]?.routes ?? []).map(({ method, path }) => `${method} ${path}`).sort();
    expect(
      await routes({
        'package.json': manifest({}),
        'a.ts': "@Controller('cats')\nexport class Cats {\n  @Get(':id') one() {}\n  @Post() add() {}\n}\n",
      }),
    ).toEqual(['GET /cats/:id', 'POST /cats']);
    expect(
      await routes({
        'requirements.txt': 'fastapi',
        'main.py':
          'from fastapi import FastAPI\nfrom items import router\napp = FastAPI()\napp.include_router(router, prefix="/v1")\n',
        'items.py':
          'from fastapi import APIRouter\nrouter = APIRouter(prefix="/items")\n@router.get("/{id}")\ndef one(): ...\n',
      }),
    ).toEqual(['GET /v1/items/{id}']);
    expect(
      await routes({
        'requirements.txt': 'flask',
        'a.py': '@app.route("/x", methods=["GET", "POST"])\ndef x(): ...\n',
      }),
    ).toEqual(['GET /x', 'POST /x']);
    expect(
      await routes({ 'requirements.txt': 'django', 'urls.py': 'urlpatterns = [path("orders/", views.orders)]\n' }),
    ).toEqual(['ANY /orders/']);
  });

  it('reads variables with their defaults, also through a function', async () => {
    const code =
      "const need = (name) => { const value = process.env[name]; return value; };\nneed('TOKEN');\nother('NOT');\nconst a = process.env.MODE ?? 'dev';\nconst b = process.env['X_Y']!;\n";
    const { components } = await detect({ 'package.json': manifest({}), 'a.ts': code });
    expect(components[0]?.environment).toEqual([
      { name: 'MODE', fallback: 'dev', required: false, file: 'a.ts', line: 4 },
      { name: 'TOKEN', required: true, file: 'a.ts', line: 2 },
      { name: 'X_Y', required: true, file: 'a.ts', line: 5 },
    ]);
  });
});

describe('whole repositories', () => {
  it('has a component for each part of a workspace, and none for its root', async () => {
    const { components } = await detect({
      'package.json': '{"name": "all", "workspaces": ["apps/*"], "devDependencies": {"express": "5"}}',
      'package-lock.json': '{}',
      'apps/a/package.json': '{"name": "a"}',
      'apps/a/index.js': "import express from 'express';\n",
      'apps/b/package.json': '{"name": "b"}',
      'apps/b/index.js': '',
      'node_modules/x/package.json': '{"name": "x"}',
      'examples/y/package.json': '{"name": "y"}',
    });
    expect(components.map(({ component, lockfile, workspace }) => [component.name, lockfile, workspace])).toEqual([
      ['a', 'package-lock.json', '.'],
      ['b', 'package-lock.json', '.'],
    ]);
    expect(components[0]?.component.framework?.value).toBe('express');
  });

  it('counts lines of code, not blank ones', async () => {
    const { stack } = await detect({
      'a.py': 'x = 1\n\n  \r\ny = 2',
      'b.ts': 'a;\n',
      'c.bin': new Uint8Array([0, 1]),
      'd.js': 'a\0b\n',
    });
    expect(stack.languages).toEqual({ python: 2, typescript: 1 });
  });

  it.each([
    ['package.json', '{"name": ', /^package\.json was skipped: it is not valid JSON/],
    ['package.json', '[1]', /^package\.json was skipped: it is not a JSON object/],
    ['pyproject.toml', '[project\n', /^pyproject\.toml was skipped: it is not valid TOML/],
  ])('skips a broken %s and says so', async (path, content, notice) => {
    const report = await detect({ [path]: content, 'a.js': '', 'a.py': '' });
    expect(report.components).toEqual([]);
    expect(report.notices).toEqual([expect.stringMatching(notice)]);
  });

  it('survives manifests and code of the wrong kind', async () => {
    const odd = { name: 7, scripts: ['x'], dependencies: { a: 1 }, engines: 'x', workspaces: 3, main: {} };
    const report = await detect({
      'package.json': JSON.stringify(odd),
      'a.ts': 'import {{{ from ((\n@@@',
      'b/pyproject.toml': 'project = 1\ntool = 2\n',
      'b/x.py': 'def (:\n',
    });
    expect(report.stack.components).toMatchObject([{ root: '.', services: [] }]);
  });

  it('follows no link and reads odd names', async () => {
    const report = await detect(
      { 'package.json': manifest(EXPRESS), 'a "b"\n.js': app('app.listen(8081);') },
      { 'out.js': '/etc/hostname', loop: '.', 'requirements.txt': '/etc/passwd' },
    );
    expect(report.stack.components).toMatchObject([{ port: { value: '8081', evidence: [{ path: 'a "b"\n.js' }] } }]);
    expect(report.components).toHaveLength(1);
  });

  const { stack: expected } = JSON.parse(readFileSync(join(SAMPLE_ROOT, '../shop.expected.json'), 'utf8')) as {
    stack: Record<string, unknown>[];
  };

  function plainValues({ stack }: StackReport): Record<string, unknown>[] {
    return stack.components.map((component) =>
      Object.fromEntries(
        Object.entries(component).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.map((one) => one.value) : typeof value === 'string' ? value : value?.value,
        ]),
      ),
    );
  }

  it('finds in the sample repository what its table says', async () => {
    const report = await detectStack(await SourceTree.open(SAMPLE_ROOT));
    const found = plainValues(report);
    expect(found).toHaveLength(expected.length);
    expected.forEach((component, index) => expect(found[index]).toMatchObject(component));
    expect(report.notices).toEqual([]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'finds the same when the sample is written in another form (seed %i)',
    async (seed) => {
      const files = [...readSample()];
      const form = mutateSample(
        files.map(([path, text]) => ({ path, text, marks: [] })),
        seed,
      );
      // Places stay: a part is told by its folder.
      const found = plainValues(
        await detect(Object.fromEntries(files.map(([path, text], index) => [path, form[index]?.text ?? text]))),
      );
      expected.forEach((component, index) => expect(found[index]).toMatchObject(component));
    },
  );
});
