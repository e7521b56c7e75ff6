import { evidence } from '../stack/evidence.js';
import type { Command } from './commands.js';
import type { Document } from './document.js';
import { listed, nearest, shown, type Drift } from './drift.js';
import type { Mentions } from './mentions.js';
import type { Project } from './project.js';

/** What others than the project's own code read: runtimes, tools, platforms, libraries. */
const OF_OTHERS =
  /^(AWS|AZURE|GCP|GCLOUD|GOOGLE|GITHUB|GH|GITLAB|BITBUCKET|CI|CIRCLE|TRAVIS|NODE|NPM|PNPM|YARN|BUN|DENO|PYTHON|PIP|UV|POETRY|DOCKER|COMPOSE|BUILDKIT|KUBE|KUBERNETES|HELM|HTTP|HTTPS|NO|ALL|FTP|SSL|TLS|OTEL|JAEGER|PG|PGUSER|SENTRY|DEBUG|LC|LANG|XDG|SSH|GIT|GO|GOOS|CGO|JAVA|JDK|JVM|MAVEN|GRADLE|CARGO|RUST|RUSTUP|DJANGO|FLASK|UVICORN|GUNICORN|WEB|CELERY|NEXT|VITE|REACT|NUXT|VUE|GATSBY|EXPO|PRISMA|NX|TURBO|VERCEL|NETLIFY|HEROKU|FLY|RAILWAY|CONSUL|VAULT|TF|TERRAFORM|OPENAI|ANTHROPIC|HF|CUDA|ELECTRON|PLAYWRIGHT|PUPPETEER|CYPRESS|JEST|VITEST|MOCHA|COVERAGE|DD|LD|DYLD|TERM|COLOR|FORCE|EDITOR|VISUAL|PAGER|HOME|PATH|USER|SHELL|PWD|TMPDIR|TZ|HOST|HOSTNAME|DISPLAY|S3|MINIO|GF|GRAFANA|DEBIAN|APT|MSYS|WSL|APPDATA|LOCALAPPDATA|SQLALCHEMY|ALEMBIC|BROWSERSLIST|SASS|ESLINT|TS|BABEL|WEBPACK|SKIP|SETUPTOOLS|CMAKE|CC|CXX|MAKE|ASAN|KEYCLOAK|RABBITMQ|ELASTIC|ES|KAFKA|ZOOKEEPER)(_|\d|$)/;
const NAME = /^\$?\{?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)\}?(?:=.*)?$/s;
const ABOUT_VARIABLES = /\benv(ironment)?\b|\bvariables?\b|\.env\b/i;
const PLACEHOLDER = /^(MY|YOUR|SOME|FOO|BAR|EXAMPLE|XXX+|NAME|KEY|VALUE|VAR|VARIABLE|ENV|TODO|N|X|Y)(_|$)/;
const RETIRED =
  /\b(deprecat\w*|remov\w*|no longer|renamed|legacy|formerly|previously|obsolete|was|used to|instead of|replaced)\b/i;

/** A variable that a document says can be set. */
export interface VariableStatement {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** It stands in a table or list of variables. */
  readonly listed: boolean;
}

export function variablesOf(document: Document, commands: readonly Command[]): VariableStatement[] {
  const found: VariableStatement[] = [];
  for (const { text, start, end, context, under } of document.spans) {
    const name = NAME.exec(text.trim())?.[1];
    if (
      name === undefined ||
      name.length < 3 ||
      PLACEHOLDER.test(name) ||
      RETIRED.test(context.split('\n').slice(1).join(' ') || context)
    )
      continue;
    const head = context.includes('\n|') || context.includes('\n') ? (context.split('\n')[0] ?? '') : '';
    const isListed =
      /^\|?.*\b(env(ironment)?( variables?)?|variables?)\b/i.test(head) || ABOUT_VARIABLES.test(under.at(-1) ?? '');
    const isSet = /^\$|=/.test(text) || ABOUT_VARIABLES.test(context);
    if ((isListed || isSet) && (name.includes('_') || isListed)) found.push({ name, start, end, listed: isListed });
  }
  for (const { sets, words } of commands) {
    // A variable of the shell that later words use is the document's own.
    for (const { text, start } of sets) {
      const name = text.split('=')[0] ?? '';
      if (!NAME.test(name) || !name.includes('_') || PLACEHOLDER.test(name) || words.length === 0) continue;
      if (commands.some((other) => other.words.some((word) => new RegExp(`\\$\\{?${name}\\b`).test(word.text))))
        continue;
      found.push({ name, start, end: start + name.length, listed: false });
    }
  }
  for (const block of document.blocks.filter(({ language }) => /^(env|dotenv|properties)$/.test(language))) {
    for (const match of block.text.matchAll(/^(?:export\s+)?([A-Z][A-Z0-9_]*)=/gm)) {
      const name = match[1] ?? '';
      const at = document.text.indexOf(match[0].trimEnd(), block.start);
      if (at >= 0 && !PLACEHOLDER.test(name)) found.push({ name, start: at, end: at + name.length, listed: true });
    }
  }
  return found;
}

/** The names and the beginnings of names that have to be looked for in the code. */
export function variableWords(name: string): string[] {
  const parts = name.split('_');
  const beginnings = parts.slice(1).map((_part, i) => `${parts.slice(0, i + 1).join('_')}_`);
  const endings = parts.slice(1).map((_part, i) => `_${parts.slice(i + 1).join('_')}`);
  return [
    name,
    ...beginnings,
    ...endings,
    ...parts.slice(1).map((_part, i) => parts.slice(i + 1).join('_')),
    name.toLowerCase(),
  ];
}

/** Variables that nothing in the tree names. */
export function checkVariables(
  project: Project,
  document: Document,
  statements: readonly VariableStatement[],
  mentions: Mentions,
): Drift[] {
  const read = project.stack.components.flatMap(({ environment }) => environment);
  if (!mentions.complete || read.length === 0) return [];
  const families = new Set(read.map(({ name }) => name.split('_')[0] ?? '').filter((family) => family.length > 1));
  const told = new Set<string>();
  return statements.flatMap(({ name, start, end, listed: isListed }) => {
    if (OF_OTHERS.test(name) || mentions.of(name) || told.has(name)) return [];
    const [, ...more] = variableWords(name);
    // `PREFIX_${name}`, settings classes with a prefix, names in lower case that a library puts in capitals.
    if (
      more.some(
        (word) =>
          word !== name &&
          (word.startsWith('_') || word.endsWith('_') || word === name.toLowerCase()) &&
          mentions.of(word),
      )
    )
      return [];
    const family = name.includes('_') && families.has(name.split('_')[0] ?? '');
    const others = statements.filter((one) => one.listed && read.some((variable) => variable.name === one.name));
    if (!family && !(isListed && others.length > 0)) return [];
    const names = [...new Set(read.map((variable) => variable.name))];
    const near = nearest(name, names) ?? onlyKin(name, names);
    const known = read.find((variable) => variable.name === near);
    const some = known ?? read[0];
    told.add(name);
    return [
      {
        rule: 'docs-unread-variable' as const,
        document,
        start,
        end,
        says: `${shown(name)} is said to be a variable, and nothing in the repository reads it: the code reads ${listed(names)}`,
        evidence: some ? [evidence(some.file, `reads ${some.name}`, some.line)] : [],
        ...(known === undefined ? {} : { suggestion: `${known.name} is read` }),
      },
    ];
  });
}

function onlyKin(name: string, names: readonly string[]): string | undefined {
  const kin = names.filter((other) => other.endsWith(`_${name}`) || name.endsWith(`_${other}`));
  return kin.length === 1 ? kin[0] : undefined;
}

const MAX_UNDOCUMENTED = 40;

/** Variables that the code reads and that stand nowhere, in a tree whose documents list variables. */
export function checkUndocumented(
  project: Project,
  statements: ReadonlyMap<Document, readonly VariableStatement[]>,
): Drift[] {
  const lists = [...statements].map(([document, all]) => ({
    document,
    all: all.filter(({ listed: isListed }) => isListed),
  }));
  const found: Drift[] = [];
  const seen = new Set<string>();
  for (const { component, environment } of project.stack.components) {
    const own = lists
      .map(({ document, all }) => ({
        document,
        all: all.filter(({ name }) => environment.some((variable) => variable.name === name)),
      }))
      .sort((a, b) => b.all.length - a.all.length)[0];
    // A list names at least half of what is read, or it is no list of all.
    const [first] = own?.all ?? [];
    const mine = environment.filter(({ name }) => !OF_OTHERS.test(name));
    if (!own || !first || own.all.length < 3 || own.all.length * 2 < mine.length) continue;
    for (const { name, file, line } of mine) {
      if (seen.has(name) || found.length >= MAX_UNDOCUMENTED || isNamedInProse(project, name)) continue;
      seen.add(name);
      found.push({
        rule: 'docs-undocumented-variable',
        document: own.document,
        start: first.start,
        end: first.end,
        says: `the list of variables lacks ${shown(name)}, which ${shown(component.name, 60)} reads`,
        evidence: [evidence(file, `reads ${name}`, line)],
      });
    }
  }
  return found;
}

function isNamedInProse(project: Project, name: string): boolean {
  const word = new RegExp(`(?<![A-Z0-9_])${name}(?![A-Z0-9_])`);
  if (project.documents.some(({ text }) => word.test(text))) return true;
  return project.tree.files.some(
    ({ path }) =>
      /(^|\/)\.env[\w.-]*$|(^|\/)[\w-]*env\.(example|sample)$/.test(path) && word.test(project.tree.text(path) ?? ''),
  );
}
