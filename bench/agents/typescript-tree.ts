import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

/*
 * A TypeScript repository by seed: the sources of packages that ship them, and modules from templates (controller, service, repository,
 * data types, component, helpers, barrel, tests) that import each other, with a defect now and then.
 */

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NOUNS =
  'account order invoice basket customer shipment product review coupon ticket session report payment address parcel supplier'.split(
    ' ',
  );
const VERBS = 'load save merge check count list close open move split find apply refresh archive'.split(' ');
const FIELDS = 'name email status total createdAt ownerId region currency weight label note priority'.split(' ');

interface Dice {
  readonly pick: <T>(from: readonly T[]) => T;
  readonly below: (limit: number) => number;
}

const upper = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Statements of a method that works on `item` and `options`. */
function statements({ pick, below }: Dice, count: number): string {
  const lines: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const [a, b, n] = [pick(FIELDS), pick(FIELDS), below(1000)];
    lines.push(
      pick([
        `const ${a}${i} = item.${a} ?? options.${b} ?? '${b}';`,
        `if (item.${a} === undefined || options.limit > ${n}) {\n      throw new Error(\`the ${a} of \${item.id} is missing\`);\n    }`,
        `for (const one of item.parts) {\n      if (one.${a} === '${b}') continue;\n      found.push({ ...one, ${b}: one.${a}, index: ${n} });\n    }`,
        `const sorted${i} = [...found].sort((x, y) => x.index - y.index).filter(({ ${a} }) => ${a} !== undefined);`,
        `const total${i} = found.reduce((sum, { index }) => sum + index * ${n}, 0);`,
        `switch (item.status) {\n      case '${a}':\n        return found.map((one) => ({ ...one, ${b}: ${n} }));\n      case '${b}':\n        break;\n      default:\n        this.log.debug('nothing to do for ' + item.id);\n    }`,
        `const answer${i} = await this.client.get(\`/${a}/\${encodeURIComponent(item.id)}\`, { timeout: ${n} });`,
        `await this.cache.set(['${a}', item.id, String(options.limit)].join(':'), JSON.stringify(found), ${n});`,
        `const label${i} = /^[a-z]{2,${(n % 9) + 3}}(-\\d+)?$/.test(item.${a}) ? item.${a}.toUpperCase() : '${b}';`,
        `try {\n      await this.store.update(item.id, { ${a}: item.${b}, version: item.version + 1 });\n    } catch (cause) {\n      throw new Error('the ${a} could not be stored', { cause });\n    }`,
        `const { ${a}: first${i}, ...rest${i} } = { ...item, ...options.defaults };`,
        `const pairs${i} = Object.entries(item).flatMap(([key, value]) => (typeof value === 'string' ? [key, value.trim()] : []));`,
      ]),
    );
  }
  return lines.map((line) => `    ${line}`).join('\n');
}

function method(dice: Dice, noun: string, i: number): string {
  const name = `${dice.pick(VERBS)}${upper(dice.pick(NOUNS))}${i}`;
  return `  /** ${upper(name)} of a ${noun}; throws when it is not complete. */
  async ${name}(item: ${upper(noun)}, options: ${upper(noun)}Options): Promise<${upper(noun)}Part[]> {
    const found: ${upper(noun)}Part[] = [];
${statements(dice, 5 + dice.below(7))}
    return found;
  }
`;
}

type Template = (dice: Dice, noun: string, near: string, size: number) => string;

const methods = (dice: Dice, noun: string, size: number): string =>
  Array.from({ length: size }, (_, i) => method(dice, noun, i)).join('\n');

const TEMPLATES: Readonly<Record<string, Template>> = {
  'types.ts': (dice, noun, _near, size) =>
    Array.from(
      { length: size * 3 },
      (_, i) =>
        `export interface ${upper(noun)}${['', 'Part', 'Options'][i] ?? `Shape${i}`} {\n  readonly id: string;\n  readonly version: number;\n  readonly limit: number;\n  readonly parts: readonly ${upper(noun)}Part[];\n${FIELDS.map((field) => `  readonly ${field}: ${dice.pick(['string', 'string', 'number', 'string | undefined'])};`).join('\n')}\n}\n`,
    ).join('\n'),
  'service.ts': (dice, noun, near, size) =>
    `import type { ${upper(noun)}, ${upper(noun)}Options, ${upper(noun)}Part } from './${noun}.types.js';
import { ${upper(noun)}Repository } from './${noun}.repository.js';
import { format${upper(noun)}, parse${upper(noun)} } from './${noun}.helpers.js';
import * as ${near}Helpers from '../${near}/index.js';

export class ${upper(noun)}Service {
  constructor(
    private readonly store: ${upper(noun)}Repository,
    private readonly client: HttpClient,
    private readonly cache: Cache,
    private readonly log: Log,
  ) {}

  describe(item: ${upper(noun)}): string {
    return format${upper(noun)}(parse${upper(noun)}(item.name)) + ${near}Helpers.SEPARATOR;
  }

${methods(dice, noun, size)}}
`,
  'repository.ts': (dice, noun, _near, size) =>
    `import type { Pool } from 'pg';
import type { ${upper(noun)}, ${upper(noun)}Options, ${upper(noun)}Part } from './${noun}.types.js';

const COLUMNS = '${FIELDS.join(', ')}';

export class ${upper(noun)}Repository {
  constructor(private readonly pool: Pool, private readonly client: HttpClient, private readonly cache: Cache) {}

  async byId(id: string): Promise<${upper(noun)}> {
    const { rows } = await this.pool.query(\`SELECT \${COLUMNS} FROM ${noun}s WHERE id = $1\`, [id]);
    return rows[0];
  }

  async search(text: string): Promise<${upper(noun)}[]> {
    ${dice.below(20) === 0 ? `const { rows } = await this.pool.query("SELECT id FROM ${noun}s WHERE name = '" + text + "'");` : `const { rows } = await this.pool.query('SELECT id FROM ${noun}s WHERE name = $1', [text]);`}
    return rows;
  }

${methods(dice, noun, size)}}
`,
  'controller.ts': (dice, noun, _near, size) =>
    `import { Router } from 'express';
import type { ${upper(noun)}, ${upper(noun)}Options, ${upper(noun)}Part } from './${noun}.types.js';
import { ${upper(noun)}Service } from './${noun}.service.js';

export function routes(service: ${upper(noun)}Service): Router {
  const router = Router();
  router.get('/${noun}s/:id', async (req, res) => {
    const found = await service.describe({ name: req.params.id } as ${upper(noun)});
    ${dice.below(15) === 0 ? `res.send('<h1>' + req.query.title + '</h1>');` : 'res.json({ found, page: Number(req.query.page) });'}
  });
  router.post('/${noun}s', async (req, res, next) => {
    try {
      const { ${FIELDS.slice(0, 5).join(', ')} } = req.body;
      if (!name || typeof email !== 'string') return res.status(400).json({ error: 'name and email are needed' });
      res.status(201).json({ name, email, status, total, createdAt });
    } catch (error) {
      next(error);
    }
  });
  return router;
}

export class ${upper(noun)}Tasks {
  constructor(private readonly store: Store, private readonly client: HttpClient, private readonly cache: Cache) {}

${methods(dice, noun, size)}}
`,
  'helpers.ts': (dice, noun, _near, size) =>
    `import { createHash } from 'node:crypto';
import type { ${upper(noun)}, ${upper(noun)}Options, ${upper(noun)}Part } from './${noun}.types.js';

export const parse${upper(noun)} = (text: string): string[] => text.split(/[\\s,;]+/).filter((part) => part !== '');

export function format${upper(noun)}(parts: readonly string[], separator = ', '): string {
  return parts.map((part) => upperFirst(part)).join(separator);
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const digestOf = (item: ${upper(noun)}): string =>
  createHash('${dice.below(10) === 0 ? 'md5' : 'sha256'}').update(JSON.stringify(item)).digest('hex');

export class ${upper(noun)}Helper {
  constructor(private readonly store: Store, private readonly client: HttpClient, private readonly cache: Cache, private readonly log: Log) {}

${methods(dice, noun, size)}}
`,
  'view.tsx': (dice, noun, _near, size) =>
    `import { useEffect, useMemo, useState } from 'react';
import type { ${upper(noun)} } from './${noun}.types.js';

${Array.from(
  { length: size },
  (
    _,
    i,
  ) => `export function ${upper(noun)}View${i}({ item, onChange }: { item: ${upper(noun)}; onChange: (item: ${upper(noun)}) => void }) {
  const [${dice.pick(FIELDS)}${i}, set${i}] = useState(item.${dice.pick(FIELDS)});
  const rows = useMemo(() => item.parts.filter((part) => part.${dice.pick(FIELDS)} !== undefined), [item]);
  useEffect(() => {
    const timer = setInterval(() => onChange({ ...item, version: item.version + 1 }), ${1000 + dice.below(9000)});
    return () => clearInterval(timer);
  }, [item, onChange]);
  return (
    <section className="${noun}" title={item.name}>
      <h2>{item.label}</h2>
      {rows.map((row) => (
        <button key={row.id} type="button" onClick={() => set${i}(row.${dice.pick(FIELDS)} as never)}>
          {row.name} <em>{row.status}</em>
        </button>
      ))}
    </section>
  );
}
`,
).join('\n')}`,
  'service.spec.ts': (dice, noun, _near, size) =>
    `import { describe, expect, it, vi } from 'vitest';
import { ${upper(noun)}Service } from './${noun}.service.js';

describe('${noun}', () => {
${Array.from(
  { length: size * 3 },
  (_, i) => `  it('${dice.pick(VERBS)}s a ${noun} (${i})', async () => {
    const store = { update: vi.fn(async () => undefined), byId: vi.fn(async (id: string) => ({ id, ${dice.pick(FIELDS)}: '${dice.pick(FIELDS)}' })) };
    const service = new ${upper(noun)}Service(store as never, {} as never, {} as never, console as never);
    await expect(service.describe({ name: '${dice.pick(NOUNS)} ${dice.pick(NOUNS)}' } as never)).toContain('${i}');
    expect(store.update).toHaveBeenCalledTimes(${dice.below(4)});
  });
`,
).join('\n')}});
`,
  'index.ts': (_dice, noun) =>
    `export * from './${noun}.types.js';\nexport * from './${noun}.helpers.js';\nexport { ${upper(noun)}Service } from './${noun}.service.js';\nexport const SEPARATOR = '-';\n`,
};

/** Packages of this repository's own dependencies that ship their TypeScript, and where it lies in them. */
const SHIPPED: readonly (readonly [name: string, from: string, folder: string])[] = [
  ['zod', 'libs/contracts', 'src'],
  ['rxjs', 'apps/gateway', 'src'],
  ['ajv', 'libs/testing', 'lib'],
];

export interface MadeTree {
  readonly files: number;
  readonly bytes: number;
  readonly lines: number;
  /** How many of the files are of real packages. */
  readonly real: number;
}

/** Writes the tree; the same for the same seed and the same packages. */
export function makeTypeScriptTree(clone: string, root: string, wanted: number, seed: number): MadeTree {
  const random = seeded(seed);
  const dice: Dice = {
    below: (limit) => Math.floor(random() * limit),
    pick: (from) => from[Math.floor(random() * from.length)] ?? (from[0] as (typeof from)[number]),
  };
  let [files, bytes, lines] = [0, 0, 0];
  const count = (text: string): void => {
    files += 1;
    bytes += Buffer.byteLength(text);
    lines += text.split('\n').length;
  };
  for (const [name, from, folder] of SHIPPED) {
    const source = packageFolder(name, join(clone, from), clone);
    if (source === undefined) continue;
    for (const path of typeScriptBelow(join(source, folder))) {
      if (files >= wanted) break;
      const target = join(root, 'packages', name, relative(source, path));
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(path, target);
      count(readFileSync(path, 'utf8'));
    }
  }
  const real = files;
  for (let module = 0; files < wanted; module += 1) {
    const noun = dice.pick(NOUNS);
    const folder = join(root, 'src', `area${module % 40}`, `m${module}`);
    mkdirSync(join(folder, noun), { recursive: true });
    const near = dice.pick(NOUNS.filter((other) => other !== noun));
    mkdirSync(join(folder, near), { recursive: true });
    for (const [name, template] of Object.entries(TEMPLATES)) {
      if (files >= wanted) break;
      const text = template(dice, noun, near, 2 + dice.below(6));
      writeFileSync(join(folder, noun, name === 'index.ts' ? name : `${noun}.${name}`), text);
      count(text);
    }
  }
  return { files, bytes, lines, real };
}

function packageFolder(name: string, from: string, clone: string): string | undefined {
  for (const base of [from, clone]) {
    try {
      const entry = createRequire(join(base, 'package.json')).resolve(name);
      return entry.slice(0, entry.lastIndexOf(`node_modules/${name}/`) + `node_modules/${name}`.length);
    } catch {
      // Not a dependency of that room.
    }
  }
  return undefined;
}

function typeScriptBelow(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) return typeScriptBelow(path);
      return /\.tsx?$/.test(name) && !name.endsWith('.d.ts') ? [path] : [];
    });
}
