import { expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { peers } from './peers.ts';
import { exclusions } from './recipes.ts';

test('the exclusions of a go.mod, in a block and alone', () => {
  const goMod = `module example.org/x

exclude (
	github.com/a/b v1.0.0 // why
	// a comment
	github.com/c/d/v2 v2.1.0
)

exclude github.com/e/f v0.0.1

require github.com/g/h v1.2.3
`;
  expect(exclusions(goMod)).toEqual(['github.com/a/b@v1.0.0', 'github.com/c/d/v2@v2.1.0', 'github.com/e/f@v0.0.1']);
});

test('every peer that is not of the distribution is held to a checksum', () => {
  for (const { name, recipe } of peers) {
    if (recipe.from === 'go' || recipe.from === 'consul') expect(recipe.sum, name).toMatch(/^h1:[\w+/]{43}=$/);
    if (recipe.from === 'own-go') {
      const [goMod, goSum] = ['go.mod', 'go.sum'].map((file) =>
        readFileSync(new URL(`go/${recipe.folder}/${file}`, import.meta.url), 'utf8'),
      );
      const required = [...(goMod ?? '').matchAll(/^\t(\S+ v\S+)/gm)].map(([, module]) => module);
      expect(required.length, name).toBeGreaterThan(0);
      for (const module of required) expect(goSum, name).toContain(`${module} h1:`);
    }
    if (recipe.from !== 'pypi') continue;
    const lines = readFileSync(new URL(`locks/${recipe.lock}`, import.meta.url), 'utf8').split('\n');
    const locked = lines.filter((line) => line !== '' && !line.startsWith('#'));
    expect(locked.length, name).toBeGreaterThan(0);
    for (const line of locked) expect(line, name).toMatch(/^[\w.-]+==[\w.]+( --hash=sha256:[0-9a-f]{64})+$/);
  }
});

test('the collector is of the version that is deployed, in all its parts', () => {
  const { version } = peers.find(({ name }) => name === 'otelcol') ?? {};
  const goMod = readFileSync(new URL('go/otelcol/go.mod', import.meta.url), 'utf8');
  const parts = [
    ...goMod.matchAll(/^\t(?:go\.opentelemetry\.io\/collector|github\.com\/open-telemetry\/\S+)\S* (v0\.\S+)/gm),
  ];
  expect(new Set(parts.map(([, of]) => of))).toEqual(new Set([version]));
  const compose = readFileSync(new URL('../../compose/docker-compose.yml', import.meta.url), 'utf8');
  expect(compose).toContain(`otel/opentelemetry-collector-contrib:${version?.slice(1)}\n`);
});
