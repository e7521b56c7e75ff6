import { implement } from '@devmesh/agent-kit/action-context';
import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import type { StackReport } from '@devmesh/analysis/stack/component-report';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { writeTreeFile } from '@devmesh/analysis/tree/write-file';
import { documentationGenerate } from '@devmesh/contracts/actions/documentation';
import { checkDocuments } from '../drift/check-documents.js';
import { writeSections } from './markers.js';
import { plain } from './markdown.js';
import { readmeSections } from './readme-sections.js';

const MAX_README_BYTES = 1024 ** 2;
const README = /^readme\.(md|markdown)$/i;

export const generate = implement(documentationGenerate, async (ctx) => {
  ctx.progress('reading the repository');
  const checkout = await ctx.checkout(ctx.input.repository);
  const tree = await SourceTree.open(checkout.path, { signal: ctx.signal });
  ctx.progress('reading manifests and code');
  const report = await detectStack(tree, ctx.signal);
  ctx.progress('holding the documents to the code');
  const drift = await checkDocuments(ctx, tree, report);
  const nothing = (summary: string, sections: string[] = []) => ({
    ...drift.output,
    patch: null,
    sections,
    summary: `${summary}${drift.says}`.slice(0, 500),
  });

  const existing = tree.files.find(({ path, utf8 }) => utf8 && README.test(path));
  const path = existing?.path ?? 'README.md';
  if (!existing && tree.exists(path)) return nothing(`${path} is a link and is left as it is`);
  // Read as bytes, so that a byte order mark and every other byte outside the markers comes back as it was.
  const before = existing ? tree.read(existing, MAX_README_BYTES) : Buffer.alloc(0);
  if (!before) return nothing(`${path} is larger than 1 MiB and is left as it is`);
  const text = decode(before);
  if (text === undefined) return nothing(`${path} is not UTF-8 and is left as it is`);

  const sections = readmeSections(tree, report);
  const names = [...sections].flatMap(([name, content]) => (content === '' ? [] : [name]));
  if (names.length === 0 && !existing) return nothing('neither manifests nor code were found: nothing to write');
  const written = writeSections(existing ? text : `# ${titleOf(report)}\n`, sections);
  if ('problem' in written) return nothing(`${path} is left as it is: ${written.problem}`);
  if (written.text === text) return nothing(`${path} says already what manifests and code say`, names);

  ctx.progress(`writing ${path}`);
  await writeTreeFile(checkout.path, path, written.text, existing ? 'replace' : 'new');
  const patch = await ctx.patch(checkout, {
    title: existing ? `Bring ${path} up to date` : `Add ${path}`,
    body: `Sections ${names.join(', ')}, from manifests and code.\n`,
  });
  const notices = report.notices.map((notice) => `; ${notice}`).join('');
  const summary = `${path}: ${names.join(', ')}${drift.says}${notices}`.slice(0, 500);
  return { ...drift.output, patch, sections: names, summary };
});

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The only component's name, or that of the manifest at the root. */
function titleOf({ components }: StackReport): string {
  const root = components.find(({ component }) => component.root === '.');
  const one = root ?? (components.length === 1 ? components[0] : undefined);
  return one ? plain(one.component.name, 100) : 'Overview';
}
