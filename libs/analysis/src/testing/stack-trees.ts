/** Small repositories, one a kind of stack, that agents which write files are held to. Files by path. */
export const STACK_TREES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'express with npm': {
    'package.json': packageJson({
      scripts: { start: 'node server.js', test: 'node --test' },
      dependencies: { express: '5', pg: '8' },
    }),
    'package-lock.json': '{}',
    'server.js': expressServer(
      3000,
      "import pg from 'pg';\nnew pg.Pool({ connectionString: process.env.DATABASE_URL });\n",
    ),
    'test/a.test.js': "import '../server.js';\n",
  },
  'fastify with pnpm': {
    'package.json': packageJson({
      packageManager: 'pnpm@10.4.1',
      scripts: { start: 'node src/main.js' },
      dependencies: { fastify: '5' },
    }),
    'pnpm-lock.yaml': 'lockfileVersion: "9.0"\n',
    'src/main.js':
      "import Fastify from 'fastify';\nconst app = Fastify();\napp.get('/health', () => 'ok');\napp.listen({ port: 8080, host: '0.0.0.0' });\n",
  },
  'nest with yarn': {
    'package.json': packageJson({
      scripts: { build: 'nest build', start: 'node dist/main.js', test: 'jest' },
      dependencies: { '@nestjs/core': '11', '@nestjs/common': '11' },
      devDependencies: { '@nestjs/cli': '11', jest: '30' },
    }),
    'yarn.lock': '# yarn lockfile v1\n',
    'src/main.ts':
      "import { NestFactory } from '@nestjs/core';\nconst app = await NestFactory.create(class {});\nawait app.listen(process.env.PORT ?? 3000);\n",
  },
  next: {
    'package.json': packageJson({
      scripts: { build: 'next build', start: 'next start' },
      dependencies: { next: '15', react: '19' },
    }),
    'package-lock.json': '{}',
    'next.config.js': 'export default {};\n',
    'app/page.jsx': 'export default () => <p>hello</p>;\n',
  },
  'static vite': {
    'package.json': packageJson({ scripts: { build: 'vite build' }, devDependencies: { vite: '7' } }),
    'package-lock.json': '{}',
    'vite.config.js': 'export default {};\n',
    'src/main.js': "document.body.append('hello');\n",
  },
  'library of node': {
    'package.json': packageJson({ main: 'index.js', engines: { node: '>=20' }, scripts: { test: 'node --test' } }),
    'package-lock.json': '{}',
    'index.js': 'export const one = 1;\n',
    'test/one.test.js': "import '../index.js';\n",
  },
  'flask with pip': {
    'requirements.txt': 'flask==3.1.0\ngunicorn==23.0.0\nredis==5.2.0\npytest==8.3.0\n',
    'app.py':
      "import os\nimport redis\nfrom flask import Flask\n\napp = Flask(__name__)\ncache = redis.Redis.from_url(os.environ['REDIS_URL'])\n\n\n@app.get('/healthz')\ndef healthz():\n    return 'ok'\n",
    'tests/test_app.py': 'import app\n\n\ndef test_it():\n    assert app.app\n',
  },
  'fastapi with uv': {
    'pyproject.toml':
      '[project]\nname = "orders"\nversion = "1.0.0"\nrequires-python = ">=3.11"\ndependencies = ["fastapi>=0.115", "uvicorn>=0.34"]\n',
    'uv.lock': 'version = 1\n',
    'orders/main.py':
      "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/health')\ndef health():\n    return {'ok': True}\n",
    'orders/__init__.py': '',
  },
  'django with poetry': {
    'pyproject.toml':
      '[tool.poetry]\nname = "site"\nversion = "1.0.0"\n[tool.poetry.dependencies]\npython = "^3.12"\ndjango = "^5.1"\ngunicorn = "^23.0"\n',
    'poetry.lock': '',
    'manage.py': 'import django\n',
    'site/__init__.py': '',
    'site/settings.py': "import os\nSECRET_KEY = os.environ['DJANGO_SECRET_KEY']\n",
    'site/wsgi.py': 'from django.core.wsgi import get_wsgi_application\n\napplication = get_wsgi_application()\n',
  },
  'go with gin': {
    'go.mod':
      'module example.org/shop/api\n\ngo 1.24\n\nrequire (\n\tgithub.com/gin-gonic/gin v1.10.0\n\tgithub.com/jackc/pgx/v5 v5.7.1\n)\n',
    'go.sum': '',
    'cmd/server/main.go': goServer(
      '\t"github.com/gin-gonic/gin"\n\t"github.com/jackc/pgx/v5"\n',
      '\tr := gin.Default()\n\tr.GET("/healthz", func(c *gin.Context) {})\n\t_, _ = pgx.Connect(nil, os.Getenv("DATABASE_URL"))\n\tr.Run(":8080")\n',
    ),
    'internal/store/store_test.go': 'package store\n',
  },
  'go workspace': {
    'go.work': 'go 1.24\n\nuse (\n\t./api\n\t./lib\n)\n',
    'api/go.mod': 'module example.org/mesh/api\n\ngo 1.24\n',
    'api/main.go': goServer(
      '\t"net/http"\n',
      '\t_ = os.Args\n\thttp.HandleFunc("/ready", nil)\n\thttp.ListenAndServe(":9000", nil)\n',
    ),
    'lib/go.mod': 'module example.org/mesh/lib\n\ngo 1.24\n',
    'lib/lib.go': 'package lib\n\nconst One = 1\n',
  },
  'spring boot with maven modules': {
    'pom.xml':
      '<project>\n  <groupId>org.example</groupId>\n  <artifactId>shop</artifactId>\n  <version>1.2.0</version>\n  <packaging>pom</packaging>\n  <properties>\n    <java.version>21</java.version>\n  </properties>\n  <modules>\n    <module>web</module>\n  </modules>\n</project>\n',
    'web/pom.xml':
      '<project>\n  <parent>\n    <groupId>org.example</groupId>\n    <artifactId>shop</artifactId>\n    <version>1.2.0</version>\n  </parent>\n  <artifactId>web</artifactId>\n  <dependencies>\n    <dependency>\n      <groupId>org.springframework.boot</groupId>\n      <artifactId>spring-boot-starter-web</artifactId>\n    </dependency>\n    <dependency>\n      <groupId>org.springframework.boot</groupId>\n      <artifactId>spring-boot-starter-actuator</artifactId>\n    </dependency>\n    <dependency>\n      <groupId>org.postgresql</groupId>\n      <artifactId>postgresql</artifactId>\n      <scope>runtime</scope>\n    </dependency>\n  </dependencies>\n  <build>\n    <plugins>\n      <plugin>\n        <artifactId>spring-boot-maven-plugin</artifactId>\n      </plugin>\n    </plugins>\n  </build>\n</project>\n',
    'web/src/main/resources/application.properties':
      'server.port=${PORT:8081}\nspring.datasource.url=jdbc:postgresql://localhost/shop\n',
    'web/src/main/java/org/example/App.java': springApp(),
    'web/src/test/java/org/example/AppTest.java': 'package org.example;\nclass AppTest {}\n',
  },
  'spring boot with gradle': {
    'settings.gradle': "rootProject.name = 'billing'\n",
    'build.gradle':
      "plugins {\n  id 'java'\n  id 'org.springframework.boot' version '3.4.1'\n}\nversion = '0.3.0'\njava { toolchain { languageVersion = JavaLanguageVersion.of(21) } }\ndependencies {\n  implementation 'org.springframework.boot:spring-boot-starter-web'\n}\n",
    'src/main/java/org/example/App.java': springApp(),
  },
  'mixed languages': {
    'api/package.json': packageJson({
      name: 'api',
      scripts: { start: 'node server.js' },
      dependencies: { express: '5' },
    }),
    'api/package-lock.json': '{}',
    'api/server.js': expressServer(4000, ''),
    'worker/requirements.txt': 'flask==3.1.0\ngunicorn==23.0.0\n',
    'worker/app.py':
      "import os\nfrom flask import Flask\n\napp = Flask(__name__)\nAPI = os.environ.get('API_URL', 'http://localhost:4000')\n",
    'tool/go.mod': 'module example.org/tool\n\ngo 1.25\n',
    'tool/main.go': goServer('', '\t_ = os.Args\n'),
  },
  'pnpm workspace': {
    'package.json': packageJson({ name: 'all', packageManager: 'pnpm@10.4.1' }),
    'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
    'pnpm-lock.yaml': 'lockfileVersion: "9.0"\n',
    'packages/web/package.json': packageJson({
      name: 'web',
      scripts: { start: 'node server.js', build: 'tsc' },
      dependencies: { express: '5' },
      devDependencies: { typescript: '5' },
    }),
    'packages/web/server.js': expressServer(3001, ''),
    'packages/core/package.json': packageJson({ name: 'core', scripts: { test: 'node --test' } }),
    'packages/core/index.js': 'export const core = 1;\n',
  },
};

function packageJson(members: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ name: 'sample', version: '1.0.0', type: 'module', ...members }, null, 2)}\n`;
}

function expressServer(port: number, head: string): string {
  return `import express from 'express';\n${head}const app = express();\napp.get('/healthz', (_request, response) => response.send('ok'));\napp.listen(process.env.PORT || ${port});\n`;
}

function goServer(imports: string, body: string): string {
  return `package main\n\nimport (\n\t"os"\n${imports})\n\nfunc main() {\n${body}}\n`;
}

function springApp(): string {
  return 'package org.example;\n\nimport org.springframework.boot.SpringApplication;\n\npublic class App {\n  public static void main(String[] args) {\n    SpringApplication.run(App.class, args);\n  }\n}\n';
}
