import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '@devmesh/contracts/finding';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reviewText } from '../findings/review-tree.js';
import { applyEdits } from './apply-edits.js';
import { applyFixes } from './apply-fixes.js';
import { editsOf, planRound } from './plan-round.js';

const edit = (start: number, end: number, text = '') => ({ start, end, text });
const fix = (name: string, ...edits: ReturnType<typeof edit>[]) => ({ name, edits });

describe('planRound', () => {
  const names = (round: ReturnType<typeof planRound<ReturnType<typeof fix>>>) => [
    round.now.map(({ name }) => name),
    round.later.map(({ name }) => name),
  ];

  it('takes fixes that stand apart or touch', () => {
    expect(names(planRound([fix('b', edit(5, 8)), fix('a', edit(0, 5))]))).toEqual([['a', 'b'], []]);
  });
  it('lets the outer one go first, and what is inside its span wait, even between its edits', () => {
    expect(names(planRound([fix('inner', edit(10, 12)), fix('outer', edit(5, 8), edit(20, 25))]))).toEqual([
      ['outer'],
      ['inner'],
    ]);
  });
  it('shares an edit that several need, such as an import', () => {
    const both = [fix('a', edit(0, 0, 'import os\n'), edit(19, 20)), fix('b', edit(0, 0, 'import os\n'), edit(9, 10))];
    expect(names(planRound(both))).toEqual([['b', 'a'], []]);
    expect(editsOf(both)).toHaveLength(3);
    const other = fix('c', edit(0, 0, 'import re\n'), edit(5, 6));
    expect(names(planRound([...both, other]))).toEqual([['c', 'b', 'a'], []]);
  });
  it('lets options and arguments stand beside each other', () => {
    expect(names(planRound([fix('a', edit(5, 5, ' -y')), fix('b', edit(5, 5, ' --no-cache'))]))).toEqual([
      ['a', 'b'],
      [],
    ]);
    expect(names(planRound([fix('a', edit(3, 8, 'True')), fix('b', edit(8, 8, ', timeout=1'))]))).toEqual([
      ['a', 'b'],
      [],
    ]);
  });
  it('lets one of several at the same place go', () => {
    expect(names(planRound([fix('a', edit(3, 3, 'x')), fix('b', edit(3, 3, 'y'))]))).toEqual([['a'], ['b']]);
    expect(names(planRound([fix('a', edit(3, 6)), fix('b', edit(3, 6))]))).toEqual([['a'], ['b']]);
    expect(names(planRound([fix('a', edit(3, 6)), fix('b', edit(6, 6, 'x'))]))).toEqual([['a'], ['b']]);
  });
});

describe('applyEdits', () => {
  const text = Buffer.from('aü😀\r\nz');
  it('replaces, removes and inserts bytes and leaves the rest', () => {
    expect(applyEdits(text, [edit(0, 1, 'ß'), edit(7, 9)]).toString()).toBe('ßü😀z');
    expect(applyEdits(text, [edit(10, 10, '!')]).toString()).toBe('aü😀\r\nz!');
  });
  it.each([
    ['outside', [edit(10, 11)]],
    ['backwards', [edit(3, 1)]],
    ['over each other', [edit(0, 3), edit(1, 3)]],
    ['through a character', [edit(2, 3)]],
  ])('refuses edits %s', (_, edits) => {
    expect(() => applyEdits(text, edits)).toThrow();
  });
});

const workflow = (steps: string): string =>
  `on: issues\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n${steps}`;

describe('applyFixes', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'fixes-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  async function run(path: string, text: string, change: (finding: Finding) => Finding = (finding) => finding) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
    const { findings } = await reviewText(path, text);
    const round = await applyFixes(root, findings.map(change));
    return { round, after: readFileSync(join(root, path), 'utf8') };
  }

  it.each([
    ['a.py', 'import yaml as y\ny.load(a,  Loader = y.Loader )\n', 'import yaml as y\ny.safe_load(a )\n'],
    [
      'a.py',
      'import yaml\r\nyaml.load(\r\n    a,\r\n    yaml.UnsafeLoader,\r\n)\r\n',
      'import yaml\r\nyaml.safe_load(\r\n    a,\r\n)\r\n',
    ],
    ['a.py', 'import yaml\nyaml.load(Loader=yaml.Loader, stream=a)\n', 'import yaml\nyaml.safe_load(stream=a)\n'],
    ['a.py', 'import yaml\nyaml.load_all(a)\n', 'import yaml\nyaml.safe_load_all(a)\n'],
    ['a.py', 'from yaml import load\nload(a)\n', 'from yaml import load, safe_load\nsafe_load(a)\n'],
    ['a.py', 'import yaml\nyaml.load(*a)\n', 'import yaml\nyaml.load(*a)\n'],
    ['a.js', "r.cookie('sid', v)\n", "r.cookie('sid', v, { httpOnly: true, secure: true })\n"],
    ['a.js', "r.cookie('sid', v, {})\n", "r.cookie('sid', v, { httpOnly: true, secure: true })\n"],
    [
      'a.js',
      "r.cookie('sid', v, {\n  httpOnly: false,\n  path: '/',\n});\n",
      "r.cookie('sid', v, {\n  httpOnly: true,\n  path: '/', secure: true,\n});\n",
    ],
    ['a.py', 'r.set_cookie("sid", v,)\n', 'r.set_cookie("sid", v, httponly=True, secure=True,)\n'],
    [
      'a.ts',
      'const token = Math.random().toString(36).substring(2);\n',
      "const token = globalThis.crypto.randomUUID().replaceAll('-', '');\n",
    ],
    [
      'a.ts',
      'import * as c from "crypto";\nconst token = Math.random().toString(36).slice(2);\n',
      'import * as c from "crypto";\nconst token = c.randomUUID().replaceAll("-", "");\n',
    ],
    [
      'a.ts',
      'const token = Math.random().toString(36).slice(2, 8);\n',
      'const token = Math.random().toString(36).slice(2, 8);\n',
    ],
    ['a.js', 'const o = { rejectUnauthorized: false };\n', 'const o = { rejectUnauthorized: true };\n'],
    [
      'Dockerfile',
      'FROM a:1\r\nRUN apt-get update && \\\r\n  apt-get install -y \\\r\n  b && rm -rf /var/lib/apt/lists/*\r\nUSER 1\r\n',
      'FROM a:1\r\nRUN apt-get update && \\\r\n  apt-get install --no-install-recommends -y \\\r\n  b && rm -rf /var/lib/apt/lists/*\r\nUSER 1\r\n',
    ],
    ['Dockerfile', 'FROM a:1\nADD b.js /\nUSER 1\n', 'FROM a:1\nCOPY b.js /\nUSER 1\n'],
    ['a.py', 'import random as r\ntoken = r.choice(x)\n', 'import random as r\ntoken = r.SystemRandom().choice(x)\n'],
    [
      'a.py',
      'from random import choice\ntoken = choice(x)\n',
      'from random import choice, SystemRandom\ntoken = SystemRandom().choice(x)\n',
    ],
    [
      'a.py',
      'import random\nrandom.seed(1)\ntoken = random.random()\n',
      'import random\nrandom.seed(1)\ntoken = random.random()\n',
    ],
    [
      'a.py',
      'import tempfile as t\nn = t.mktemp(suffix=".txt", dir=d)\n',
      'import os\nimport tempfile as t\nn = os.path.join(t.mkdtemp(suffix=".txt", dir=d), "file.txt")\n',
    ],
    ['a.py', 'import requests\nrequests.get(u, **k)\n', 'import requests\nrequests.get(u, **k)\n'],
    [
      'a.py',
      'def f(x, seen=[]):\n    return [a for a in seen]\n',
      'def f(x, seen=()):\n    return [a for a in seen]\n',
    ],
    [
      'a.py',
      'def f(x, seen: list = []):\n    return len(seen)\n',
      'def f(x, seen: list = []):\n    return len(seen)\n',
    ],
    ['a.py', 'def f(x, seen=[]):\n    return seen\n', 'def f(x, seen=[]):\n    return seen\n'],
    [
      'a.py',
      'import ssl\nc = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)\nc.verify_mode = ssl.CERT_NONE\n',
      'import ssl\nc = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)\nc.verify_mode = ssl.CERT_NONE\n',
    ],
    [
      'a.js',
      "import https from 'https';\nhttps.createServer({ requestCert: true, rejectUnauthorized: false }, f);\n",
      "import https from 'https';\nhttps.createServer({ requestCert: true, rejectUnauthorized: false }, f);\n",
    ],
    [
      'a.js',
      "import fs from 'node:fs';\nconst otp = Math.floor(1_000 * Math.random());\n",
      "import { randomInt } from 'node:crypto';\nimport fs from 'node:fs';\nconst otp = randomInt(1_000);\n",
    ],
    ['a.js', 'const otp = Math.floor(1_000 * Math.random());\n', 'const otp = Math.floor(1_000 * Math.random());\n'],
    [
      'a.js',
      "document.body.innerHTML = '<b>' + location.hash + '</b>';\n",
      "document.body.innerHTML = '<b>' + location.hash + '</b>';\n",
    ],
    [
      'Dockerfile',
      'FROM node:24\nWORKDIR /srv\nWORKDIR ./app\nUSER 1\n',
      'FROM node:24\nWORKDIR /srv\nWORKDIR /srv/app\nUSER 1\n',
    ],
    ['Dockerfile', 'FROM tomcat:10\nWORKDIR app\nUSER 1\n', 'FROM tomcat:10\nWORKDIR app\nUSER 1\n'],
    ['Dockerfile', 'FROM tomcat:10\nRUN sudo make\nUSER 1\n', 'FROM tomcat:10\nRUN sudo make\nUSER 1\n'],
    ['a.py', 'import ssl\nssl._create_unverified_context()\n', 'import ssl\nssl.create_default_context()\n'],
    ['a.py', 'import ssl\nssl._create_unverified_context(p)\n', 'import ssl\nssl._create_unverified_context(p)\n'],
    ['a.py', "if x is not 'a':\n    f()\n", "if x != 'a':\n    f()\n"],
    ['a.py', "if x is 'a' is y:\n    f()\n", "if x is 'a' is y:\n    f()\n"],
    [
      'a.js',
      "require('https').request({ host, ssl: { ca, rejectUnauthorized: false } })\n",
      "require('https').request({ host, ssl: { ca, rejectUnauthorized: true } })\n",
    ],
    ['Dockerfile', 'FROM a:1\nUSER 1\nCMD node a.js\n', 'FROM a:1\nUSER 1\nCMD ["node", "a.js"]\n'],
    ['Dockerfile', 'FROM a:1\nUSER 1\nCMD node $A\n', 'FROM a:1\nUSER 1\nCMD node $A\n'],
    ['Dockerfile', 'FROM a:1\nUSER 1\nCMD exec node a.js\n', 'FROM a:1\nUSER 1\nCMD exec node a.js\n'],
    ['Dockerfile', 'FROM a:1\nENTRYPOINT ["b"]\nUSER 1\nCMD c d\n', 'FROM a:1\nENTRYPOINT ["b"]\nUSER 1\nCMD c d\n'],
    ['Dockerfile', 'FROM a:1\nCOPY a b /c\nUSER 1\n', 'FROM a:1\nCOPY a b /c/\nUSER 1\n'],
    ['Dockerfile', 'FROM a:1\nRUN apk \\\n  add b=1\nUSER 1\n', 'FROM a:1\nRUN apk \\\n  add b=1\nUSER 1\n'],
    [
      'Dockerfile',
      'FROM a:1\nRUN apk add b=1 \\\n  c=2\nUSER 1\n',
      'FROM a:1\nRUN apk add --no-cache b=1 \\\n  c=2\nUSER 1\n',
    ],
    [
      'Dockerfile',
      'FROM a:1\nMAINTAINER "Ann <a@b.org>"\nUSER 1\n',
      'FROM a:1\nLABEL org.opencontainers.image.authors="Ann <a@b.org>"\nUSER 1\n',
    ],
    [
      '.github/workflows/a.yml',
      workflow(
        '      - run: |\n          echo "a ${{ github.event.issue.title }}"\n          b ${{ github.sha }}\n      - run: c\n',
      ),
      workflow(
        '      - run: |\n          echo "a ${ISSUE_TITLE}"\n          b ${{ github.sha }}\n        env:\n          ISSUE_TITLE: ${{ github.event.issue.title }}\n      - run: c\n',
      ),
    ],
    [
      '.github/workflows/a.yml',
      workflow(
        '      - name: x\n        env:\n            A: 1\n        run: echo ${{ github.event.issue.body }} b\r\n',
      ),
      workflow(
        '      - name: x\n        env:\n            ISSUE_BODY: ${{ github.event.issue.body }}\n            A: 1\n        run: echo "${ISSUE_BODY}" b\r\n',
      ).replace('env:\n            I', 'env:\r\n            I'),
    ],
    ...[
      "      - run: echo '${{ github.event.issue.title }}'\n",
      '      - run: "echo ${{ github.event.issue.title }}"\n',
      '      - run: echo ${{ github.event.issue.title }}\n        shell: pwsh\n',
      '      - run: |\n          cat <<E\n          ${{ github.event.issue.title }}\n          E\n',
      '      - run: echo ${{ github.event.issue.title }}\n        env:\n          ISSUE_TITLE: other\n',
    ].map((steps): [string, string, string] => ['.github/workflows/a.yml', workflow(steps), workflow(steps)]),
  ])('%s: %j becomes %j', async (path, before, wanted) => {
    const { round, after } = await run(path, before);
    expect(after).toBe(wanted);
    expect(round.fixed).toHaveLength(before === wanted ? 0 : 1);
    expect((await reviewText(path, after)).findings.filter((finding) => finding.fix)).toEqual([]);
  });

  it('drops the fixes of a file that would no longer parse, and only those', async () => {
    writeFileSync(join(root, 'good.py'), 'import yaml\nyaml.load(a)\n');
    const good = (await reviewText('good.py', 'import yaml\nyaml.load(a)\n')).findings;
    const text = 'import yaml\nyaml.load(a)\n';
    writeFileSync(join(root, 'bad.py'), text);
    const bad = (await reviewText('bad.py', text)).findings.map((finding) => ({
      ...finding,
      fix: { description: 'x', edits: [{ start: 0, end: 6, text: '((' }] },
    }));
    const round = await applyFixes(root, [...bad, ...good]);
    expect(round.files).toEqual(['good.py']);
    expect(round.dropped).toMatchObject([{ reason: 'the file would no longer parse' }]);
    expect(readFileSync(join(root, 'bad.py'), 'utf8')).toBe(text);
  });

  it('drops what would make the types worse, and puts the file back', async () => {
    const text =
      "const agent: { rejectUnauthorized: false } = { rejectUnauthorized: false };\nconst n: number = 'x';\n";
    const { round, after } = await run('a.ts', text);
    expect(round.dropped).toMatchObject([{ reason: 'the types would be worse (TS2322)' }]);
    expect(round.files).toEqual([]);
    expect(after).toBe(text);
    const known = "const n: number = 'x';\nexport const agent = { rejectUnauthorized: false };\n";
    expect((await run('b.ts', known)).round).toMatchObject({ files: ['b.ts'], dropped: [] });
  });

  it('drops one fix that is not proved and keeps the others of the file', async () => {
    const text = 'import yaml\nyaml.load(a)\nyaml.load(b)\n';
    const { round, after } = await run('a.py', text, (finding) =>
      finding.location.startLine === 2
        ? { ...finding, fix: { description: 'x', edits: [{ start: 12, end: 24, text: 'eval(input())' }] } }
        : finding,
    );
    expect(round.dropped).toMatchObject([{ reason: expect.stringMatching(/would find something new/) as string }]);
    expect(after).toBe('import yaml\nyaml.load(a)\nyaml.safe_load(b)\n');
  });

  it('never writes through a link or outside the tree', async () => {
    const outside = join(root, 'outside.py');
    const tree = join(root, 'tree');
    mkdirSync(tree);
    const text = 'import yaml\nyaml.load(a)\n';
    writeFileSync(outside, text);
    symlinkSync('../outside.py', join(tree, 'a.py'));
    symlinkSync('..', join(tree, 'up'));
    const { findings } = await reviewText('a.py', text);
    const at = (path: string) => findings.map((finding) => ({ ...finding, location: { ...finding.location, path } }));
    const round = await applyFixes(
      tree,
      ['a.py', 'up/outside.py', '../outside.py', '/etc/x.py', '.git/config.py', 'b\0.py'].flatMap(at),
    );
    expect(round.dropped).toHaveLength(6);
    expect(round.fixed).toEqual([]);
    expect(readFileSync(outside, 'utf8')).toBe(text);
  });

  it('drops what no longer reads as the finding says', async () => {
    const { round, after } = await run('a.py', 'import yaml\nyaml.load(a)\n', (finding) => ({
      ...finding,
      location: { ...finding.location, startLine: 1 },
    }));
    expect(round.dropped).toHaveLength(1);
    expect(after).toContain('yaml.load(a)');
  });
});
