import { createHash } from 'node:crypto';
import type { OpenApiDocument, Operation, Parameter } from './document.js';

/** A page and the policy that lets it, and nothing else, work. */
export interface Page {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

const STYLE = `
:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 18%,transparent);--soft:color-mix(in srgb,currentColor 6%,transparent)}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:2rem 1rem 4rem;max-width:60rem}
h1{margin:0}h2{margin:2.5rem 0 .5rem;text-transform:capitalize}
a{color:inherit}p{margin:.4rem 0}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}
pre{background:var(--soft);padding:.8rem;overflow:auto;border-radius:.4rem}
details{border:1px solid var(--line);border-radius:.4rem;margin:.4rem 0}
details>div{padding:0 1rem 1rem}
summary{cursor:pointer;padding:.5rem 1rem;overflow-wrap:anywhere}
summary b{display:inline-block;min-width:3.4rem;font-family:ui-monospace,monospace}
summary span{opacity:.75}
table{border-collapse:collapse;width:100%;margin:.4rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
`;

// By its hash: the page has no script, loads nothing, and no other style gets in.
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The API for people: one page of HTML without scripts, fonts or anything else from elsewhere. */
export function docsPage(document: OpenApiDocument): Page {
  const { title, version, description } = document.info;
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${text(title)} API</title><style>${STYLE}</style></head><body>
<h1>${text(title)} API</h1>
<p>Version ${text(version)}. The same for programs: <a href="/openapi.json">openapi.json</a> (OpenAPI ${text(document.openapi)}).</p>
${prose(description)}
<p>Every route but those marked open wants <code>Authorization: Bearer dm_…</code>.</p>
${sections(document)}
<h2>Schemas</h2>
${Object.entries(document.components.schemas).map(schemaBlock).join('\n')}
</body></html>
`;
  return { html, contentSecurityPolicy: CONTENT_SECURITY_POLICY };
}

function sections(document: OpenApiDocument): string {
  const byTag = new Map<string, string[]>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags[0] ?? 'other';
      byTag.set(tag, [...(byTag.get(tag) ?? []), operationBlock(method, path, operation)]);
    }
  }
  return [...byTag].map(([tag, blocks]) => `<h2>${text(tag)}</h2>\n${blocks.join('\n')}`).join('\n');
}

function operationBlock(method: string, path: string, operation: Operation): string {
  const open = operation.security?.length === 0 ? ' (open)' : '';
  const body =
    operation.requestBody === undefined
      ? ''
      : `<p>Body${operation.requestBody.required ? '' : ' (may be left out)'}: ${contents(operation.requestBody.content)}</p>`;
  const responses = Object.entries(operation.responses)
    .map(([status, { description, content }]) => [
      `<code>${text(status)}</code>`,
      prose(description) + contents(content),
    ])
    .map(row);
  return `<details id="${text(operation.operationId)}"><summary><b>${text(method.toUpperCase())}</b> <code>${text(path)}</code> <span>${text(operation.summary)}${open}</span></summary><div>
${prose(operation.description ?? '')}${parameters(operation.parameters ?? [])}${body}
<table><tr><th>answer</th><th></th></tr>${responses.join('')}</table></div></details>`;
}

function parameters(list: readonly Parameter[]): string {
  if (list.length === 0) return '';
  const rows = list.map((p) =>
    row([
      `<code>${text(p.name)}</code>`,
      `in ${p.in}`,
      prose(p.description ?? ''),
      `<code>${text(JSON.stringify(p.schema))}</code>`,
    ]),
  );
  return `<table><tr><th>parameter</th><th></th><th></th><th></th></tr>${rows.join('')}</table>`;
}

function contents(content: object | undefined): string {
  return Object.entries(content ?? {})
    .map(([type, { schema }]: [string, { schema?: { $ref?: string } }]) => {
      const name = schema?.$ref?.split('/').at(-1);
      return `<code>${text(type)}</code>${name === undefined ? '' : ` <a href="#schema-${text(name)}">${text(name)}</a>`}`;
    })
    .join(', ');
}

function schemaBlock([name, schema]: [string, unknown]): string {
  return `<details id="schema-${text(name)}"><summary><code>${text(name)}</code></summary><div><pre>${text(JSON.stringify(schema, null, 2))}</pre></div></details>`;
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

/** Paragraphs and \`code\`, the only marks that our texts use. */
function prose(markdown: string): string {
  return markdown
    .split('\n\n')
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => `<p>${text(paragraph).replace(/`([^`]*)`/g, '<code>$1</code>')}</p>`)
    .join('\n');
}

function text(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
