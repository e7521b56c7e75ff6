import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PUBLIC_SCHEMAS } from '@devmesh/contracts/gateway-api';
import { describe, expect, it } from 'vitest';
import { docsPage } from './docs-page.js';
import { openApiDocument } from './document.js';

const COMMITTED = new URL('../../../../docs/openapi.json', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const document = openApiDocument(version);

function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => (name === '$ref' ? [String(member)] : references(member)));
}

describe('the OpenAPI document', () => {
  it('is the one that is committed', async () => {
    // To write it anew: vitest run apps/gateway/src/openapi --update
    await expect(JSON.stringify(document, null, 2) + '\n').toMatchFileSnapshot(fileURLToPath(COMMITTED));
  });

  it('names every public schema', () => {
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(Object.keys(PUBLIC_SCHEMAS)));
  });

  it('has no reference that leads nowhere', () => {
    const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(references(document).filter((reference) => !known.includes(reference))).toEqual([]);
  });

  it('says for every route with a key what the problems are', () => {
    for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
      if (operation.security?.length === 0) continue;
      expect(Object.keys(operation.responses), operation.operationId).toEqual(
        expect.arrayContaining(['400', '401', '500', '503']),
      );
    }
  });

  it('names each operation once', () => {
    const ids = Object.values(document.paths).flatMap((path) => Object.values(path).map((o) => o.operationId));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('lets a sender leave out what has a default, and promises it to a receiver', () => {
    expect(document.components.schemas['CreateRun']).not.toHaveProperty('required');
    expect(document.components.schemas['RunView']?.['required']).toContain('steps');
  });
});

describe('the page for people', () => {
  const { html, contentSecurityPolicy } = docsPage(document);

  it('shows every operation and every schema', () => {
    for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
      expect(html).toContain(`id="${operation.operationId}"`);
    }
    for (const name of Object.keys(document.components.schemas)) expect(html).toContain(`id="schema-${name}"`);
  });

  it('loads nothing, runs nothing and lets only its own style in', () => {
    expect(html).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|\sstyle=|https?:\/\//i);
    expect(contentSecurityPolicy).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; /);
    expect(contentSecurityPolicy).not.toContain('unsafe');
  });

  it('has no link into itself that leads nowhere', () => {
    for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(html).toContain(`id="${target}"`);
  });
});
