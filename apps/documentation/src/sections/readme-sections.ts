import type { ComponentReport, StackReport } from '@devmesh/analysis/stack/component-report';
import { programmingLanguage } from '@devmesh/analysis/stack/languages';
import { inFolder } from '@devmesh/analysis/stack/manifest';
import { nodeInstallation } from '@devmesh/analysis/stack/installation';
import type { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { code, plain, table } from './markdown.js';

const MAX_ROWS = 200;
const MAX_FOLDERS = 40;

const LANGUAGE_NAMES: Readonly<Record<string, string>> = {
  javascript: 'JavaScript',
  typescript: 'TypeScript',
  python: 'Python',
  go: 'Go',
  java: 'Java',
  sql: 'SQL',
  html: 'HTML',
  css: 'CSS',
  php: 'PHP',
  ruby: 'Ruby',
  rust: 'Rust',
  kotlin: 'Kotlin',
  vue: 'Vue',
  svelte: 'Svelte',
};

/**
 * The sections of a README by name, from what manifests and code say. Nothing in them changes when the mesh's own files
 * (images, pipelines) are added or code is fixed in place: no counts and no line numbers. A section with nothing to say is
 * empty.
 */
export function readmeSections(tree: SourceTree, report: StackReport): Map<string, string> {
  const sections = new Map<string, string>();
  const { components } = report;
  sections.set('overview', overview(components) ?? '');
  sections.set('commands', commands(components) ?? '');
  sections.set('environment', environment(components) ?? '');
  sections.set('routes', routes(components) ?? '');
  sections.set('layout', layout(tree, components) ?? '');
  return sections;
}

function overview(components: readonly ComponentReport[]): string | undefined {
  if (components.length === 0) return undefined;
  const rows = components.map(({ component, manifest }) => [
    plain(component.name, 100),
    plain(manifest.description ?? '', 200),
    code(component.root),
    [LANGUAGE_NAMES[component.language] ?? component.language, component.framework?.value]
      .filter(Boolean)
      .map((text) => plain(text ?? ''))
      .join(', '),
    component.entryPoint ? code(inFolder(component.root, component.entryPoint.value)) : '',
    component.port?.value ?? '',
    component.services.map(({ value }) => plain(value)).join(', '),
  ]);
  const head = ['Component', 'What it is', 'Folder', 'Stack', 'Entry point', 'Port', 'Uses'];
  return `## Overview\n\n${withoutEmptyColumns(head, rows)}`;
}

function withoutEmptyColumns(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = head.map((_title, index) => rows.some((row) => row[index] !== ''));
  const keep = (row: readonly string[]): string[] => row.filter((_cell, index) => used[index]);
  return table(keep(head), rows.map(keep));
}

function commands(components: readonly ComponentReport[]): string | undefined {
  const rows = components.flatMap((report) => {
    const { component } = report;
    const install = nodeInstallation(report);
    const all: [string, string, string | undefined][] = [
      ['install', install?.folder ?? component.root, install?.all],
      ['build', component.root, component.buildCommand?.value],
      ['start', component.root, component.startCommand?.value],
      ['test', component.root, component.testCommand?.value],
      ['lint', component.root, component.lintCommand?.value],
    ];
    return all.flatMap(([what, folder, command]) =>
      command === undefined ? [] : [[plain(component.name, 100), what, code(folder), code(command)]],
    );
  });
  if (rows.length === 0) return undefined;
  return `## Commands\n\n${table(['Component', 'To', 'In', 'Run'], rows.slice(0, MAX_ROWS))}`;
}

const SECRET_NAME = /SECRET|TOKEN|PASS|KEY|CREDENTIAL|AUTH|SALT/;

/** A default is shown unless it may be a secret. */
function defaultOf(name: string, fallback: string | undefined): string {
  if (fallback === undefined) return '';
  if (SECRET_NAME.test(name) || /:\/\/[^/\s]*@/.test(fallback) || fallback.length > 80) return '(set in the code)';
  return code(fallback === '' ? '""' : fallback);
}

function environment(components: readonly ComponentReport[]): string | undefined {
  const rows = components.flatMap(({ component, environment: variables }) =>
    variables.map(({ name, fallback, required, file }) => [
      code(name),
      plain(component.name, 100),
      required && fallback === undefined ? 'yes' : '',
      defaultOf(name, fallback),
      code(file),
    ]),
  );
  if (rows.length === 0) return undefined;
  const head = ['Variable', 'Component', 'Required', 'Default', 'Read in'];
  return `## Environment variables\n\n${withoutEmptyColumns(head, rows.slice(0, MAX_ROWS))}`;
}

function routes(components: readonly ComponentReport[]): string | undefined {
  const rows = components.flatMap(({ component, routes: all }) =>
    [...all]
      .sort((a, b) => (a.path === b.path ? order(a.method, b.method) : order(a.path, b.path)))
      .map(({ method, path, file }) => [plain(method), code(path), plain(component.name, 100), code(file)]),
  );
  if (rows.length === 0) return undefined;
  const more = rows.length > MAX_ROWS ? `\n\nAnd ${rows.length - MAX_ROWS} more.` : '';
  return `## Routes\n\n${table(['Method', 'Path', 'Component', 'Defined in'], rows.slice(0, MAX_ROWS))}${more}`;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Folders of the first two levels that hold code, with their languages. */
function layout(tree: SourceTree, components: readonly ComponentReport[]): string | undefined {
  const folders = new Map<string, Set<string>>();
  for (const { path, utf8 } of tree.files) {
    if (!utf8 || path.startsWith('.')) continue;
    const language = programmingLanguage(path);
    if (language === undefined) continue;
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= Math.min(2, parts.length); depth += 1) {
      const folder = parts.slice(0, depth).join('/');
      const languages = folders.get(folder) ?? new Set<string>();
      folders.set(folder, languages.add(LANGUAGE_NAMES[language] ?? language));
    }
  }
  if (folders.size === 0) return undefined;
  const named = new Map(components.map(({ component }) => [component.root, component.name]));
  const lines = [...folders]
    .sort(([a], [b]) => order(a, b))
    .slice(0, MAX_FOLDERS)
    .map(([folder, languages]) => {
      const component = named.get(folder);
      const what = [component === undefined ? '' : plain(component, 100), [...languages].sort().join(', ')]
        .filter(Boolean)
        .join(': ');
      return `${folder.includes('/') ? '  ' : ''}- ${code(`${folder}/`)} ${what}`;
    });
  return `## Project layout\n\n${lines.join('\n')}`;
}
