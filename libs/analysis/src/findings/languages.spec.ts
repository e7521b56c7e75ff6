import { describe, expect, it } from 'vitest';
import { blocksOf } from '../manifests/hcl.js';
import { at } from '../manifests/setting.js';
import { reviewText, reviewTexts } from './review-tree.js';

const file = (path: string, ...lines: readonly string[]) => ({ path, text: `${lines.join('\n')}\n` });

const HANDLER = file(
  'api/handler.go',
  'package api',
  'import (',
  '\t"net/http"',
  '\t"example.org/shop/store"',
  ')',
  'type API struct{ store *store.Store }',
  'func (a *API) Find(w http.ResponseWriter, r *http.Request) {',
  '\ta.store.Find(nameOf(r))',
  '}',
);
const BESIDE = file(
  'api/names.go',
  'package api',
  'import "net/http"',
  'func nameOf(r *http.Request) string { return r.FormValue("name") }',
);
const STORE = file(
  'store/store.go',
  'package store',
  'import "database/sql"',
  'type Store struct{ db *sql.DB }',
  'func (s *Store) Find(name string) {',
  '\ts.db.Query("SELECT * FROM items WHERE name = \'" + name + "\'")',
  '}',
);

describe('Go', () => {
  it('is followed through the files of a package and into other packages', async () => {
    const [finding, ...more] = await reviewTexts([HANDLER, BESIDE, STORE]);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ rule: 'go-sql-from-request', location: { path: 'store/store.go', startLine: 5 } });
    const way = finding?.trace?.map(({ path }) => path) ?? [];
    expect([way[0], way.at(-1)]).toEqual(['api/names.go', 'store/store.go']);
  });
  it('gets no flow rules in tests', async () => {
    const lines = ['package a', 'import "crypto/tls"', 'var c = &tls.Config{InsecureSkipVerify: true}', ''].join('\n');
    expect((await reviewText('a.go', lines)).findings).toHaveLength(1);
    expect((await reviewText('a_test.go', lines)).findings).toEqual([]);
  });
});

describe('Java', () => {
  const hash = file(
    'src/main/java/app/Hash.java',
    'package app;',
    'class Hash {',
    '  byte[] of(byte[] data) throws Exception {',
    '    java.util.Properties p = new java.util.Properties();',
    '    p.load(Hash.class.getResourceAsStream("app.properties"));',
    '    return java.security.MessageDigest.getInstance(p.getProperty("hash", "SHA-256")).digest(data);',
    '  }',
    '}',
  );
  it.each([
    ['MD5', 1],
    ['SHA-512', 0],
  ])('reads %s in a file of properties', async (algorithm, count) => {
    const settings = file('src/main/resources/app.properties', '# which one', `hash = ${algorithm}`);
    expect(await reviewTexts([hash, settings])).toHaveLength(count);
  });
  it('takes a type of a field for an object of that class, in another file', async () => {
    const controller = file(
      'src/main/java/app/Web.java',
      'package app;',
      '@RestController class Web {',
      '  private final Runner runner;',
      '  Web(Runner runner) { this.runner = runner; }',
      '  @GetMapping("/run") void run(@RequestParam String line) { runner.run(line); }',
      '}',
    );
    const runner = file(
      'src/main/java/app/Runner.java',
      'package app;',
      'class Runner {',
      '  void run(int count) {}',
      '  void run(String line) throws Exception { Runtime.getRuntime().exec(line); }',
      '}',
    );
    const found = await reviewTexts([controller, runner]);
    expect(found.map(({ rule, location }) => [rule, location.path, location.startLine])).toEqual([
      ['java-command-from-request', 'src/main/java/app/Runner.java', 4],
    ]);
  });
});

describe('manifests', () => {
  const pod = [
    'apiVersion: v1',
    'kind: Pod',
    'spec:',
    '  hostPID: true',
    '  containers: [{ name: a, image: b:1 }]',
    '',
  ];
  it('of Kubernetes are looked at, templates of Helm are left alone', async () => {
    const { findings } = await reviewText('deploy/pod.yaml', pod.join('\n'));
    expect(findings.find(({ rule }) => rule === 'k8s-host-namespace')?.location).toMatchObject({
      startLine: 4,
      startColumn: 3,
    });
    const template = [...pod, 'metadata: { name: {{ .Release.Name }} }', ''].join('\n');
    expect((await reviewText('chart/templates/pod.yaml', template)).findings).toEqual([]);
  });
  it('of Terraform keep their places, and what a variable holds is not guessed', () => {
    const text = 'resource "a" "b" {\n  size = 3\n  name = "x-${var.y}"\n  rule {\n    port = 22\n  }\n}\n';
    const [block] = blocksOf(text);
    expect(block?.labels).toEqual(['a', 'b']);
    expect(at(block, 'size')).toMatchObject({ value: 3, start: text.indexOf('3'), end: text.indexOf('3') + 1 });
    expect(at(block, 'name')?.value).toBeUndefined();
    expect(at(at(block, 'rule')?.items?.[0], 'port')?.value).toBe(22);
  });
});
