import { asPort, isTestPath, serviceNamedBy, type SourceFacts } from './source-facts.js';
import { matches, noFacts, withoutComments } from './text-source.js';

/** Reads a Java file by its text: imports, routes of Spring, ports of plain servers, variables of the environment. */
export function readJava(path: string, source: string): SourceFacts {
  const text = withoutComments(source);
  const head = text.slice(0, /\b(class|interface|record|enum)\s+\w/.exec(text)?.index ?? 0);
  const prefix = /@RequestMapping\(\s*(?:(?:value|path)\s*=\s*)?"([^"]*)"/.exec(head)?.[1] ?? '';
  return {
    ...noFacts(path, isTestPath(path)),
    imports: matches(text, /^import\s+(?:static\s+)?([\w.]+)(?:\.\*)?;/gm).map(({ match, line }) => ({
      module: match[1] ?? '',
      names: [],
      line,
    })),
    ports: matches(
      text,
      /\b(?:new\s+InetSocketAddress|new\s+ServerSocket|\.start|Spark\.port|\bport)\(\s*(\d{2,5})\s*\)/g,
    ).flatMap(({ match, line }) => {
      const value = asPort(match[1] ?? '');
      return value === undefined ? [] : [{ value, line, atStart: true }];
    }),
    environment: matches(text, /\bSystem\.getenv\(\s*"([A-Za-z_]\w*)"\s*\)/g).map(({ match, line }) => ({
      name: match[1] ?? '',
      required: false,
      line,
    })),
    routes: matches(text, /@(Get|Post|Put|Patch|Delete)Mapping(?:\(\s*(?:(?:value|path)\s*=\s*)?(?:"([^"]*)")?)?/g).map(
      ({ match, line }) => ({ method: (match[1] ?? '').toUpperCase(), path: match[2] ?? '', on: 'class', line }),
    ),
    prefixes: new Map(prefix === '' ? [] : [['class', prefix]]),
    runsAsMain: /\bpublic\s+static\s+void\s+main\s*\(/.test(text),
  };
}

const SETTINGS = /(^|\/)src\/main\/resources\/application\.(properties|ya?ml)$/;

/** Whether a file holds the settings of Spring Boot that hold in every profile. */
export function isSpringSettings(path: string): boolean {
  return SETTINGS.test(path);
}

/** Port, databases and variables that the settings of Spring Boot name. */
export function readSpringSettings(path: string, text: string): SourceFacts {
  const value = /\$\{[A-Z_][A-Z0-9_]*:(\d+)\}|(\d+)/.source;
  const found = path.endsWith('.properties')
    ? matches(text, new RegExp(`^server\\.port\\s*[=:]\\s*(?:${value})`, 'gm'))
    : matches(text, new RegExp(`^server:[^\\S\\n]*(?:\\n[ \\t]+[^\\n]*)*?\\n[ \\t]+port:\\s*["']?(?:${value})`, 'gm'));
  return {
    ...noFacts(path, false),
    ports: found.flatMap(({ match, line }) => {
      const port = asPort(match[1] ?? match[2] ?? '');
      const at = line + match[0].split('\n').length - 1;
      return port === undefined ? [] : [{ value: port, line: at, atStart: true }];
    }),
    namedServices: matches(text, /\b(?:jdbc:|r2dbc:)?((?:postgresql|mysql|mariadb|mongodb|redis|amqp):\/\/)/g).flatMap(
      ({ match, line }) => {
        const service = serviceNamedBy(match[1] ?? '');
        return service === undefined ? [] : [{ service, line }];
      },
    ),
    environment: matches(text, /\$\{([A-Z][A-Z0-9_]*)(?::([^}]*))?\}/g).map(({ match, line }) => ({
      name: match[1] ?? '',
      ...(match[2] === undefined ? {} : { fallback: match[2] }),
      required: match[2] === undefined,
      line,
    })),
  };
}
