import { parseSync } from 'oxc-parser';
import { Positions } from '../parse/positions.js';
import { isTestPath, type ImportFact, type SourceFacts } from './source-facts.js';

/*
 * Most files of a large tree say nothing about how it runs but what they import. That needs no tree of nodes, which costs ten times as
 * much as all else of a file.
 */

/** Words without which a file opens no port, reads no setting, has no route and names no service. */
const TELLING = [
  /\b(listen|serve|Router|express|[Ff]astify|Hono|Koa)\b|@Controller|\.env\b|\b(?:require|import)\s*\(/,
  // `PORT`, `config.port`, `httpPort`; but not `import` and `export`.
  /(?<!\bim|\bex)port\b/i,
  /postgres|mysql|maria|mongo|redis|amqp|['"`]pg['"`]/i,
  /\w\(\s*['"][A-Z][A-Z0-9_]*['"]/,
];
const ROUTER = /\b(app|api|server|router|routes|\w+(App|Router|Routes|Server))\b/;
const ROUTE = /\.(get|post|put|patch|delete|head|options|all|use|route|register)\s*\(/;

/** What a file says that does nothing but import; undefined for any other, and for one that does not parse. */
export function readPlainJavaScript(path: string, text: string): SourceFacts | undefined {
  if (TELLING.some((words) => words.test(text)) || (ROUTE.test(text) && ROUTER.test(text))) return undefined;
  const lang = /\.[cm]?ts$/.test(path) ? 'ts' : path.endsWith('.tsx') ? 'tsx' : 'jsx';
  const result = parseSync(path, text, { lang, sourceType: 'unambiguous' });
  if (result.errors.length > 0) return undefined;
  return {
    path,
    test: isTestPath(path),
    imports: importsOf(result.module, text),
    ports: [],
    constants: new Map(),
    environment: [],
    environmentReaders: [],
    environmentCalls: [],
    routes: [],
    mounts: [],
    applications: [],
    prefixes: new Map(),
    namedServices: [],
    runsAsMain: text.startsWith('#!') || text.includes('require.main'),
  };
}

type Module = ReturnType<typeof parseSync>['module'];

function importsOf({ staticImports, staticExports }: Module, text: string): ImportFact[] {
  const positions = new Positions(text);
  const found = new Map<number, { readonly module: string; readonly names: readonly string[] }>();
  for (const { start, moduleRequest, entries } of staticImports) {
    const named = entries.filter(({ importName }) => importName.kind === 'Name');
    const onlyTypes = named.length > 0 && named.every(({ isType }) => isType);
    if (onlyTypes && !entries.some(({ importName }) => importName.kind === 'Default')) continue;
    found.set(start, { module: moduleRequest.value, names: named.map(({ importName }) => importName.name ?? '') });
  }
  for (const { start, entries } of staticExports) {
    const module = entries.find(({ moduleRequest }) => moduleRequest)?.moduleRequest?.value;
    // What is imported and exported again stands here under the import.
    if (module !== undefined && text.startsWith('export', start)) found.set(start, { module, names: [] });
  }
  return [...found]
    .filter(([start]) => !/^(import|export)\s+type\b/.test(text.slice(start, start + 100)))
    .sort(([a], [b]) => a - b)
    .map(([start, fact]) => ({ ...fact, line: positions.at(start).line }));
}
