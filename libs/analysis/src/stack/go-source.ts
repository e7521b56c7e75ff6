import {
  asPort,
  isTestPath,
  serviceNamedBy,
  type ImportFact,
  type PortFact,
  type SourceFacts,
} from './source-facts.js';
import { matches, noFacts, withoutComments } from './text-source.js';

const METHODS = 'GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|Get|Post|Put|Patch|Delete';

/** Reads a Go file by its text: imports, ports, routes and variables of the environment as they are usually written. */
export function readGo(path: string, source: string): SourceFacts {
  const text = withoutComments(source);
  const name = /^\s*package\s+(\w+)/m.exec(text)?.[1];
  const imports = readImports(text);
  return {
    ...noFacts(path, isTestPath(path)),
    imports,
    ports: readPorts(text),
    environment: matches(text, /\bos\.(Getenv|LookupEnv)\(\s*"([A-Za-z_]\w*)"\s*\)/g).map(({ match, line }) => ({
      name: match[2] ?? '',
      required: false,
      line,
    })),
    routes: readRoutes(text),
    namedServices: matches(text, /"([^"\s]{4,200})"/g).flatMap(({ match, line }) => {
      const service = (match[1] ?? '').includes('://') ? serviceNamedBy(match[1] ?? '') : undefined;
      return service === undefined ? [] : [{ service, line }];
    }),
    runsAsMain: name === 'main' && /^func\s+main\s*\(\s*\)/m.test(text),
  };
}

function readImports(text: string): ImportFact[] {
  const found: ImportFact[] = [];
  for (const { match, line } of matches(text, /^import\s+(?:(?:[\w.]+\s+)?"([^"]+)"|\(([^)]*)\))/gm)) {
    if (match[1] !== undefined) found.push({ module: match[1], names: [], line });
    for (const inner of matches(match[2] ?? '', /"([^"]+)"/g)) {
      found.push({ module: inner.match[1] ?? '', names: [], line: line + inner.line - 1 });
    }
  }
  return found;
}

/** `http.ListenAndServe(":8080", …)`, `router.Run(":8080")`, `Addr: ":8080"`, `net.Listen("tcp", ":8080")`. */
function readPorts(text: string): PortFact[] {
  const opened = matches(
    text,
    /(?:\b(?:ListenAndServe(?:TLS)?|Listen|Start|Run)\(\s*(?:"tcp"\s*,\s*)?|\bAddr:\s*)"(?:[\w.]*|\[::\]):(\d{1,5})"/g,
  );
  const ports = opened.flatMap(({ match, line }) => {
    const value = asPort(match[1] ?? '');
    return value === undefined ? [] : [{ value, line, atStart: true }];
  });
  if (ports.length > 0) return ports;
  // The usual default of a variable: `port := os.Getenv("PORT"); if port == "" { port = "8080" }`.
  return matches(text, /\b\w*[pP]ort\s*(?::=|=)\s*":?(\d{2,5})"/g).flatMap(({ match, line }) => {
    const value = asPort(match[1] ?? '');
    return value === undefined ? [] : [{ value, line, atStart: false }];
  });
}

function readRoutes(text: string): SourceFacts['routes'] {
  const handled = matches(text, /\b(\w+)\.(?:HandleFunc|Handle)\(\s*"(?:([A-Z]+)\s+)?(\/[^"\s]*)"/g).map(
    ({ match, line }) => ({ method: match[2] ?? 'ANY', path: match[3] ?? '', on: match[1] ?? '', line }),
  );
  const routed = matches(text, new RegExp(`\\b(\\w+)\\.(${METHODS})\\(\\s*"(/[^"\\s]*)"`, 'g')).map(
    ({ match, line }) => ({
      method: (match[2] ?? '').toUpperCase(),
      path: match[3] ?? '',
      on: match[1] ?? '',
      line,
    }),
  );
  // A group would put its routes below a prefix that is not followed here.
  const grouped = new Set(matches(text, /\b(\w+)\s*:=\s*\w+\.Group\(/g).map(({ match }) => match[1]));
  return [...handled, ...routed].filter(({ on }) => !grouped.has(on));
}
