import { implement, type ActionContext } from '@devmesh/agent-kit/action-context';
import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import type { StackReport } from '@devmesh/analysis/stack/component-report';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { writeTreeFile } from '@devmesh/analysis/tree/write-file';
import { documentationGenerate } from '@devmesh/contracts/actions/documentation';
import { RepositoryHistory } from '@devmesh/contracts/repository';
import type { z } from 'zod';
import { checkDocuments } from '../drift/check-documents.js';
import { changelogSection, hasRelease } from './changelog.js';
import { plain } from './markdown.js';
import { readmeSections } from './readme-sections.js';
import { referenceSections, type ReferenceSections } from './reference-sections.js';
import { writeDocument, type WrittenDocument } from './write-document.js';

/** Where sections go that are too long for a README. */
const REFERENCE = 'docs/reference.md';
const README = /^readme\.(md|markdown)$/i;
const CHANGELOG = /^(changelog|changes|history|news|releases)(\.(md|markdown|rst|txt|adoc))?$/i;

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
  const reference = await referenceSections(tree, ctx.signal);
  const { readme, beside } = placeSections(tree, existing?.path, readmeSections(tree, report), reference);
  const told = (sections: ReadonlyMap<string, string>): string[] =>
    [...sections].flatMap(([name, content]) => (content === '' ? [] : [name]));
  const names = [...told(readme), ...told(beside)];
  if (names.length === 0 && !existing) return nothing('neither manifests nor code were found: nothing to write');

  const documents: { path: string; written: WrittenDocument }[] = [
    { path, written: writeDocument(tree, path, existing, titleOf(report), readme) },
  ];
  if (beside.size > 0)
    documents.push({
      path: REFERENCE,
      written: writeDocument(tree, REFERENCE, tree.file(REFERENCE), 'Reference', beside),
    });
  const changelog = await changelogOf(ctx, tree);
  if (changelog) {
    documents.push(changelog);
    names.push('changelog');
  }
  const problems = documents.flatMap(({ written }) => ('problem' in written ? [written.problem] : []));
  // The README's refusal is one of the whole: its link to the reference could not be written.
  if ('problem' in (documents[0]?.written ?? {})) return nothing(problems.join('; '));
  const changed = documents.flatMap((one) =>
    'problem' in one.written || one.written.text === undefined
      ? []
      : [{ path: one.path, text: one.written.text, isNew: one.written.isNew }],
  );
  if (changed.length === 0) return nothing(problems[0] ?? `${path} says already what manifests and code say`, names);

  for (const { path: file, text, isNew } of changed) {
    ctx.progress(`writing ${file}`);
    await writeTreeFile(checkout.path, file, text, isNew ? 'new' : 'replace');
  }
  const added = changed.every(({ isNew }) => isNew);
  const patch = await ctx.patch(checkout, {
    title: `${added ? 'Add' : 'Bring'} ${changed.map((one) => one.path).join(' and ')}${added ? '' : ' up to date'}`,
    body: `Sections ${names.join(', ')}, from manifests, code and history.\n`,
  });
  const notices = [...problems, ...report.notices].map((notice) => `; ${notice}`).join('');
  const summary = `${path}: ${names.join(', ')}${drift.says}${notices}`.slice(0, 500);
  return { ...drift.output, patch, sections: names, summary };
});

/** The changelog, where there is one of ours, or none at all though there are releases. One that people write is theirs. */
async function changelogOf(
  { input, artifacts }: ActionContext<z.output<(typeof documentationGenerate)['input']>>,
  tree: SourceTree,
): Promise<{ path: string; written: WrittenDocument } | undefined> {
  if (input.history === undefined) return undefined;
  const history = RepositoryHistory.parse(JSON.parse((await artifacts.get({ digest: input.history })).toString()));
  const existing = tree.files.find(({ path }) => CHANGELOG.test(path));
  const isOurs =
    existing !== undefined && (tree.text(existing.path) ?? '').includes('<!-- devmesh:begin changelog -->');
  if (existing ? !isOurs : !hasRelease(history)) return undefined;
  const path = existing?.path ?? 'CHANGELOG.md';
  const sections = new Map([['changelog', changelogSection(history)]]);
  return { path, written: writeDocument(tree, path, existing, 'Changelog', sections) };
}

/**
 * Which section goes where. A README stays short: what packages export, and who imports whom, stand in a file of their own, with the flags,
 * as soon as there is something that others import. Where a section's markers stand already, there it stays.
 */
function placeSections(
  tree: SourceTree,
  path: string | undefined,
  own: ReadonlyMap<string, string>,
  { sections, hasApi }: ReferenceSections,
): { readme: Map<string, string>; beside: Map<string, string> } {
  const readme = new Map(own);
  const beside = new Map<string, string>();
  const inReadme = path === undefined ? '' : (tree.text(path) ?? '');
  const besideText = tree.text(REFERENCE) ?? '';
  const has = (text: string, name: string): boolean => text.includes(`<!-- devmesh:begin ${name} -->`);
  const isOurs = [...sections.keys()].some((name) => has(besideText, name));
  const file = isOurs || (hasApi && !tree.exists(REFERENCE));
  for (const [name, content] of sections) {
    if (has(inReadme, name)) readme.set(name, content);
    else if (file) beside.set(name, content);
    else if (name === 'flags') readme.set(name, content);
  }
  const named = [...beside].flatMap(([name, content]) => (content === '' ? [] : [name]));
  // Kept empty when nothing is beside any more, so that an old link goes.
  const titles = named.map((name) => (name === 'api' ? 'API' : name));
  if (named.length > 0) readme.set('reference', `## Reference\n\n[${REFERENCE}](${REFERENCE}): ${titles.join(', ')}.`);
  else if (has(inReadme, 'reference')) readme.set('reference', '');
  return { readme, beside: named.length > 0 || isOurs ? beside : new Map<string, string>() };
}

/** The only component's name, or that of the manifest at the root. */
function titleOf({ components }: StackReport): string {
  const root = components.find(({ component }) => component.root === '.');
  const one = root ?? (components.length === 1 ? components[0] : undefined);
  return one ? plain(one.component.name, 100) : 'Overview';
}
