import { evidence } from '../stack/evidence.js';
import { jsonLine } from '../stack/node-manifest.js';
import { normalisePackage } from '../stack/python-manifest.js';
import { folderOf } from '../stack/manifest.js';
import type { Command } from './commands.js';
import type { Document } from './document.js';
import { shown, type Drift } from './drift.js';
import type { Mentions } from './mentions.js';
import { nearestOf, type Project } from './project.js';

/** "Node.js 18 or newer", "Python >= 3.8", "Python 3.8+": a minimum, said of the runtime. */
const MINIMUM =
  /\b(Node(?:\.js|JS)?|Python)\s*(?:versions?\s*)?(?:(>=|≥|\^|~)\s*)?v?(\d+(?:\.\d+)?)(?:\.(?:\d+|x))*(\s*(?:\+|or (?:newer|later|higher|above|greater|up)|and (?:newer|later|higher|above|up)|LTS or (?:newer|later)))?/gi;
const ASKS =
  /\b(requires?|required|requirements?|needs?|prerequisites?|minimum|at least|supports?|supported|works? (?:with|on)|compatible|tested (?:with|on|against)|runs? on|have|install)\b/i;
const PAST =
  /\b(drop\w*|no longer|older|before|below|less than|under|until|up to|prior|previous\w*|if you|use version|deprecat\w*|instead|except|unless|legacy|end[- ]of[- ]life|eol|only|bug|issue|since|was|experimental|flag|v\d+\.x|version \d+(\.\d+)? of)\b|<|≤/i;

/** Versions of Node.js and Python that are promised, and that the manifest no longer allows. */
export function checkVersions(project: Project, document: Document): Drift[] {
  return document.prose.flatMap(({ text, start, under, context }) =>
    [...text.matchAll(MINIMUM)].flatMap((match): Drift[] => {
      const [whole, runtime = '', operator, version = '', more] = match;
      const sentence = sentenceOf(text, match.index);
      const asks = ASKS.test(sentence) || /prerequisit|requirement|install|compatib|support/i.test(under.at(-1) ?? '');
      if (
        !asks ||
        PAST.test(sentence) ||
        PAST.test(context) ||
        (operator === undefined && more === undefined && !/\b(requires?|needs?|at least|minimum)\b/i.test(sentence))
      )
        return [];
      const isNode = /^node/i.test(runtime);
      const manifest = isNode ? engineOf(project, document.path) : pythonOf(project, document.path);
      const least = manifest && leastOf(manifest.range);
      if (!manifest || !least || !isLess(version, least)) return [];
      const at = document.text.indexOf(whole.trim(), start);
      const from = at < 0 ? start : at;
      return [
        {
          rule: 'docs-wrong-version',
          document,
          start: from,
          end: from + whole.trim().length,
          says: `"${shown(whole)}" is promised, and ${manifest.path} asks for ${isNode ? 'node' : 'python'} ${shown(manifest.range)}`,
          evidence: [evidence(manifest.path, `asks for ${manifest.range}`, manifest.line)],
          suggestion: `the least that is allowed is ${least.join('.')}`,
        },
      ];
    }),
  );
}

function sentenceOf(text: string, at: number): string {
  const from = Math.max(text.lastIndexOf('. ', at), text.lastIndexOf('; ', at), -1) + 1;
  const to = text.slice(at + 12).search(/[.;]\s/);
  return text.slice(from, to < 0 ? undefined : at + 12 + to);
}

interface Asked {
  readonly range: string;
  readonly path: string;
  readonly line: number | undefined;
}

function engineOf(project: Project, document: string): Asked | undefined {
  const own = nearestOf(project.nodePackages, document);
  const range = own?.fields.engines?.node;
  return own && range !== undefined
    ? { range, path: own.paths[0] ?? '', line: jsonLine(own.text, 'node', 'engines') }
    : undefined;
}

function pythonOf(project: Project, document: string): Asked | undefined {
  const own = nearestOf(project.pythonPackages, document);
  return own?.runtime?.path.endsWith('.toml') === true ? own.runtime : undefined;
}

/** The least version of a range, by its parts; undefined for what has no plain one. */
function leastOf(range: string): readonly [number, number] | undefined {
  const parts = range.split(/\|\|/).map((part) => /^\s*(?:>=|\^|~|~=|==)?\s*v?(\d+)(?:\.(\d+|\*|x))?/.exec(part));
  const versions = parts.map((part) => (part ? ([Number(part[1]), Number(part[2] ?? 0) || 0] as const) : undefined));
  if (versions.some((one) => one === undefined)) return undefined;
  return versions.flatMap((one) => (one ? [one] : [])).sort((a, b) => a[0] - b[0] || a[1] - b[1])[0];
}

function isLess(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b] = version.split('.').map(Number);
  // "Node 18" stands for any 18, "Python 3" for any 3.
  if (a !== major) return a < major;
  return b !== undefined && b < minor;
}

const PORT_CONTEXT = /\b(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]):(\d{2,5})\b/g;

/** What is configured or programmed is the reader's own. */
const CONFIGURATION =
  /^(json|ya?ml|toml|ini|nginx|conf|dockerfile|js|ts|jsx|tsx|javascript|typescript|python|py|go|java)$/;

/** Ports in addresses of this machine: to be looked for in the code. */
export function portsOf(document: Document): { port: string; start: number; end: number }[] {
  const blocks = document.blocks.filter(({ language }) => !CONFIGURATION.test(language));
  const areas = [...document.spans, ...document.prose, ...blocks];
  const found = new Map<number, { port: string; start: number; end: number }>();
  for (const { start, end } of areas) {
    const text = document.text.slice(start, end);
    for (const match of text.matchAll(PORT_CONTEXT)) {
      const at = start + match.index + match[0].length - (match[1]?.length ?? 0);
      found.set(at, { port: match[1] ?? '', start: at, end: start + match.index + match[0].length });
    }
  }
  return [...found.values()];
}

/** Ports that documents send people to, while the component beside them opens another one and no file names it. */
export function checkPorts(project: Project, document: Document, mentions: Mentions): Drift[] {
  if (!mentions.complete) return [];
  const owners = project.stack.components.filter(
    ({ component }) => component.root === folderOf(document.path) || component.root === '.',
  );
  const known = project.stack.components.filter(({ component }) => component.port !== undefined);
  // Where a component opens a port that could not be told, it may be this one.
  const [only] = owners.length > 0 ? owners : project.stack.components;
  const port = only?.component.port;
  if (!only || !port || known.length !== project.stack.components.length || project.stack.components.length > 1)
    return [];
  const told = new Set<string>();
  return portsOf(document).flatMap(({ port: written, start, end }) => {
    // Set in the document itself, or the port of something that it starts.
    const own = new RegExp(`(PORT\\w*\\s*[=:]\\s*["']?|--port[ =]|-p[ =]?|:|EXPOSE\\s+)${written}\\b(?!\\/)`);
    const elsewhere = document.blocks.some(({ text }) =>
      own.test(text.replaceAll(/(localhost|127\.0\.0\.1|0\.0\.0\.0):\d+/g, '')),
    );
    if (written === port.value || mentions.of(written) || elsewhere || told.has(written)) return [];
    told.add(written);
    const [because] = port.evidence;
    return [
      {
        rule: 'docs-wrong-port' as const,
        document,
        start,
        end,
        says: `port ${written} is named, which stands nowhere in the repository; ${shown(only.component.name, 60)} listens on ${port.value}`,
        evidence: because ? [because] : [],
        suggestion: `the port is ${port.value}`,
      },
    ];
  });
}

const OTHER_SOURCE = /^(-|\.|\/|file:|git\+|https?:|github:|"|')|[<>$*{}]|\.(tgz|whl|txt)$/;

/** `npm install NAME` under a heading about installing: NAME is the package's own, or nearly so and wrong. */
export function checkPackageNames(project: Project, document: Document, commands: readonly Command[]): Drift[] {
  if (!/(^|\/)readme\.\w+$/i.test(document.path)) return [];
  return commands.flatMap(({ words, under }): Drift[] => {
    const [tool, verb, ...rest] = words;
    const node = tool && /^(npm|pnpm|yarn|bun)$/.test(tool.text) && /^(install|i|add)$/.test(verb?.text ?? '');
    const python =
      tool &&
      ((/^(pip3?|pipx)$/.test(tool.text) && verb?.text === 'install') ||
        (/^(uv|poetry|pdm)$/.test(tool.text) && verb?.text === 'add'));
    if (
      (!node && !python) ||
      !tool ||
      !/install|usage|getting started|quick ?start|set-? ?up/i.test(under.at(-1) ?? '')
    )
      return [];
    const names = rest.filter(({ text }) => !OTHER_SOURCE.test(text));
    const [word] = names;
    if (!word || names.length !== 1) return [];
    const bare = (text: string): string => (python ? normalisePackage(text) : text);
    const written = bare(python ? (/^[\w.-]+/.exec(word.text)?.[0] ?? '') : word.text.replace(/(?<=.)@[^/]*$/, ''));
    const own = python
      ? nearestOf(project.pythonPackages, document.path)
      : nearestOf(project.nodePackages, document.path);
    const all = (python ? project.pythonPackages : project.nodePackages).flatMap(({ name }) =>
      name === undefined ? [] : [bare(name)],
    );
    if (
      !own ||
      own.root !== folderOf(document.path) ||
      own.name === undefined ||
      written === '' ||
      all.includes(written)
    )
      return [];
    if ('fields' in own && own.fields.private === true) return [];
    const dependency = [...own.dependencies.keys()].some((name) => bare(name) === written);
    const name = bare(own.name);
    // A plug-in's README installs what it plugs into: only a name that is this one in another dress is a slip.
    if (dependency || !isSameWord(written, name)) return [];
    // The right name stands beside it: both exist.
    if (commands.some((other) => other.words.some(({ text }) => bare(text.replace(/(?<=.)@[^/]*$/, '')) === name)))
      return [];
    return [
      {
        rule: 'docs-wrong-package',
        document,
        start: word.start,
        end: word.end,
        says: `${shown(word.text)} is to be installed, and the package here is ${shown(own.name)}`,
        evidence: [
          evidence(own.paths[0] ?? '', `the name is ${own.name}`, python ? undefined : jsonLine(own.text, 'name')),
        ],
        suggestion: `install ${own.name}`,
      },
    ];
  });
}

/** The same letters without scope, hyphens and what only says the language. */
function isSameWord(a: string, b: string): boolean {
  const core = (name: string): string =>
    name
      .replace(/^@[^/]*\//, '')
      .replace(/^(node|python|py)-|[.-](js|py|node|python)$/g, '')
      .replace(/[^a-z0-9]/gi, '')
      .toLowerCase();
  const scope = (name: string): string => /^@([^/]*)\//.exec(name)?.[1] ?? '';
  return core(a) === core(b) || core(a) === core(`${scope(b)}${core(b)}`) || core(b) === core(`${scope(a)}${core(a)}`);
}
