import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { planTests } from './plan-tests.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plan-tests-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function plan(files: Readonly<Record<string, string>>): ReturnType<typeof planTests> {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return planTests(folder, new AbortController().signal);
}

it('takes the script of a package.json with what is before and behind it, and says where that stands', async () => {
  const scripts = { pretest: 'node build.js', test: 'vitest run', posttest: 'node clean.js' };
  const [suite, ...more] = await plan({
    'package.json': JSON.stringify({ name: 'shop', main: 'index.js', scripts }, null, 2),
    'index.js': 'module.exports = 1;\n',
  });
  expect(more).toEqual([]);
  expect(suite).toMatchObject({
    root: '.',
    shown: 'npm run test',
    because: 'package.json:6 says "test": "vitest run"',
    why: '',
  });
  const script = suite?.command?.[2] ?? '';
  expect(script).toContain('( node build.js\n) && ( vitest run\n) && ( node clean.js\n)');
  expect(script).toContain('node_modules/.bin');
});

it('takes no script that only says that there are no tests', async () => {
  const scripts = { test: 'echo "Error: no test specified" && exit 1' };
  expect(await plan({ 'package.json': JSON.stringify({ name: 'a', main: 'a.js', scripts }), 'a.js': '1;\n' })).toEqual(
    [],
  );
});

it("finds tests of Node.js's own runner without any manifest", async () => {
  expect(await plan({ 'sum.test.js': "require('node:test').test('adds', () => {});\n" })).toMatchObject([
    { root: '.', shown: 'node --test', because: 'sum.test.js imports node:test', command: ['node', '--test'] },
  ]);
});

it.each([
  [
    {
      'requirements.txt': 'pytest==9\nflask==3\n',
      'app.py': 'import flask\n',
      'test_app.py': 'def test_a():\n    pass\n',
    },
    'pytest',
    ['python3', '-m', 'pytest'],
  ],
  [
    {
      'pyproject.toml': '[project]\nname = "a"\nversion = "1"\n',
      'app.py': 'x = 1\n',
      'test_app.py': 'import unittest\n\n\nclass A(unittest.TestCase):\n    pass\n',
    },
    'python -m unittest discover',
    ['python3', '-m', 'unittest', 'discover'],
  ],
  [
    {
      'go.mod': 'module a\n\ngo 1.21\n',
      'main.go': 'package main\n\nfunc main() {}\n',
      'main_test.go': 'package main\n',
    },
    'go test ./...',
    ['go', 'test', './...'],
  ],
])('runs %o by %s', async (files, shown, command) => {
  expect(await plan(files as unknown as Record<string, string>)).toMatchObject([
    { shown, command, because: expect.stringMatching(/\S/) },
  ]);
});

it('says of Maven that it can not be run without a network', async () => {
  const pom =
    '<project><modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>a</artifactId><version>1</version></project>\n';
  const suites = await plan({
    'pom.xml': pom,
    'src/main/java/A.java': 'public class A { public static void main(String[] a) {} }\n',
    'src/test/java/ATest.java': 'import org.junit.jupiter.api.Test;\nclass ATest { @Test void a() {} }\n',
  });
  expect(suites).toMatchObject([{ command: null, why: expect.stringContaining('network') }]);
});

it('finds nothing where there is nothing', async () => {
  expect(await plan({ 'README.md': '# A\n' })).toEqual([]);
});
