import type { Finding } from '@devmesh/contracts/finding';
import { writeFindings } from '../findings/finding-writer.js';
import type { StackReport } from '../stack/component-report.js';
import type { SourceTree } from '../tree/source-tree.js';
import { checkMembers, ExampleCheck, membersNamed } from './check-examples.js';
import { checkFlags, flagsAsked, ownPrograms } from './check-flags.js';
import { checkLinks } from './check-links.js';
import { checkPaths } from './check-paths.js';
import { checkPackageNames, checkPorts, checkVersions, portsOf } from './check-requirements.js';
import { checkScripts } from './check-scripts.js';
import {
  checkUndocumented,
  checkVariables,
  variablesOf,
  variableWords,
  type VariableStatement,
} from './check-variables.js';
import { commandsOf, type Command } from './commands.js';
import type { Document } from './document.js';
import { shown, type Drift } from './drift.js';
import { findMentions } from './mentions.js';
import { programFlags } from './program-flags.js';
import { readProject, type Project } from './project.js';

export interface DriftReport {
  /** In the order of paths and places; class `docs-drift`. */
  readonly findings: readonly Finding[];
  readonly documents: number;
  /** Links, code spans, commands and variables that were looked at. */
  readonly statements: number;
}

const MAX_FINDINGS = 2000;

/**
 * Statements of a tree's documents (README, guides; Markdown and the plain part of reStructuredText) that the tree does not bear out. A
 * statement counts as wrong only when the tree says so for certain: what may be generated, belongs to the reader's own project, or is
 * read in a way that is not understood, is left alone. Nothing of the tree is run. Throws `execution_cancelled` on abort.
 */
export async function findDrift(
  tree: SourceTree,
  stack: StackReport,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<DriftReport> {
  const project = await readProject(tree, stack, options.signal);
  const programs = new Set(ownPrograms(project).keys());
  const commands = new Map<Document, readonly Command[]>();
  const variables = new Map<Document, readonly VariableStatement[]>();
  const wanted = new Set<string>();
  for (const document of guides(project)) {
    await tree.breathe(options.signal);
    const own = commandsOf(document, programs);
    commands.set(document, own);
    variables.set(document, variablesOf(document, own));
    for (const { name } of variables.get(document) ?? []) for (const word of variableWords(name)) wanted.add(word);
    for (const { port } of portsOf(document)) wanted.add(port);
    for (const { className, member } of membersNamed(document)) wanted.add(`class ${className}`).add(member);
    for (const { name } of flagsAsked(project, document, own)) for (const word of flagWords(name)) wanted.add(word);
  }
  const mentions = await findMentions(tree, wanted, options.signal);
  const flags = await programFlags(tree, options.signal);
  const examples = new ExampleCheck(project);
  const drifts: Drift[] = [];
  for (const document of project.documents) {
    await tree.breathe(options.signal);
    drifts.push(...checkLinks(project, document));
    const own = commands.get(document);
    if (!own) continue;
    drifts.push(
      ...checkPaths(project, document, own),
      ...checkScripts(project, document, own),
      ...checkFlags(project, document, own, flags, mentions),
      ...checkVariables(project, document, variables.get(document) ?? [], mentions),
      ...checkPorts(project, document, mentions),
      ...checkVersions(project, document),
      ...checkPackageNames(project, document, own),
      ...checkMembers(project, document, mentions),
      ...examples.check(document),
    );
  }
  drifts.push(...checkUndocumented(project, variables));
  const statements = project.documents.reduce(
    (sum, one) => sum + one.links.length + one.spans.length + (commands.get(one)?.length ?? 0),
    0,
  );
  return { findings: asFindings(project, drifts), documents: project.documents.length, statements };
}

function guides(project: Project): Document[] {
  return project.documents.filter(({ kind }) => kind === 'guide');
}

function flagWords(name: string): string[] {
  const bare = name.slice(2);
  return [
    name,
    bare,
    bare.replaceAll('-', '_'),
    bare.replace(/-(\w)/g, (_whole, letter: string) => letter.toUpperCase()),
  ];
}

function asFindings(project: Project, drifts: readonly Drift[]): Finding[] {
  const findings: Finding[] = [];
  for (const document of project.documents) {
    const told = new Set<string>();
    const hits = drifts
      .filter((drift) => drift.document === document)
      // A document that says the same twice is told once, where it says so first.
      .filter((drift) => !told.has(`${drift.rule} ${drift.says}`) && told.add(`${drift.rule} ${drift.says}`))
      .map((drift) => ({
        rule: drift.rule,
        class: 'docs-drift' as const,
        cwe: undefined,
        severity: drift.rule === 'docs-undocumented-variable' ? ('info' as const) : ('low' as const),
        confidence: 'high' as const,
        message: messageOf(drift),
        start: drift.start,
        end: Math.max(drift.end, drift.start + 1),
      }));
    if (hits.length > 0) findings.push(...writeFindings(document.path, document.text, hits, false));
    if (findings.length >= MAX_FINDINGS) break;
  }
  return findings.slice(0, MAX_FINDINGS);
}

/** What is said, where the code says otherwise, what to write instead. */
function messageOf({ says, evidence, suggestion }: Drift): string {
  const places = evidence.map(({ path, line }) => (line === undefined ? path : `${path}:${line}`));
  const because = places.length === 0 ? '' : ` (${places.map((place) => shown(place)).join(', ')})`;
  const cure = suggestion === undefined ? '' : ` ${capitalised(shown(suggestion, 300))}.`;
  return `${capitalised(says)}${because}.${cure}`.slice(0, 2000);
}

function capitalised(text: string): string {
  return /^(the|port|install|link|perhaps) /.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text;
}
