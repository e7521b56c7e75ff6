/** A module that a file loads when it runs; imports of types alone are left out. `names` are the imported members. */
export interface ImportFact {
  readonly module: string;
  readonly names: readonly string[];
  readonly line: number;
}

/** A place that opens a port. Without `value` it stands for `reference`, or for the default of `server`. */
export interface PortFact {
  readonly value?: string;
  /** A member of another module: `{module: './config.js', name: 'config.port'}`. */
  readonly reference?: PortReference;
  /** `flask` or `uvicorn`, whose port is known when the code names none. */
  readonly server?: 'flask' | 'uvicorn';
  readonly line: number;
  /** Whether it is reached when the file is run, rather than only defined. */
  readonly atStart: boolean;
}

export interface PortReference {
  readonly module: string;
  readonly name: string;
}

/** An environment variable that the code reads. `fallback` is the literal used when it is not set. */
export interface EnvironmentFact {
  readonly name: string;
  readonly fallback?: string;
  readonly required: boolean;
  readonly line: number;
}

/** An HTTP route as a file declares it: `path` is relative to where its router is mounted. */
export interface RouteFact {
  readonly method: string;
  readonly path: string;
  /** Name of the router, application or class that it is declared on. */
  readonly on: string;
  readonly line: number;
}

/** Routes of another router, or of another file, below a prefix. */
export interface MountFact {
  readonly prefix: string;
  /** Name of what is mounted; with `module` it is imported from there. */
  readonly target: string;
  readonly module?: string;
  /** Name of the router or application that it is mounted on. */
  readonly on: string;
}

/** What one source file says. Lines are 1-based. */
export interface SourceFacts {
  readonly path: string;
  readonly test: boolean;
  readonly imports: readonly ImportFact[];
  readonly ports: readonly PortFact[];
  /** Numbers under their names, `PORT` or `config.port`, for `PortReference`s of other files. */
  readonly constants: ReadonlyMap<string, { readonly value: string; readonly line: number }>;
  readonly environment: readonly EnvironmentFact[];
  /** Functions that read the variable named by their parameter. */
  readonly environmentReaders: readonly string[];
  /** `required('DATABASE_URL')`: what counts when the function turns out to be such a reader. */
  readonly environmentCalls: readonly { readonly reader: string; readonly fact: EnvironmentFact }[];
  readonly routes: readonly RouteFact[];
  readonly mounts: readonly MountFact[];
  /** Prefixes that routers declare themselves, by name. */
  readonly prefixes: ReadonlyMap<string, string>;
  /** Kinds of database named by string literals: `dialect: 'postgres'`, `redis://…`. */
  readonly namedServices: readonly { readonly service: string; readonly line: number }[];
  /** Applications and routers that the file creates at its top level, by variable name. */
  readonly applications: readonly { readonly name: string; readonly factory: string; readonly line: number }[];
  readonly runsAsMain: boolean;
}

const TEST_FOLDER = /(^|\/)(tests?|__tests__|specs?|e2e|__mocks__|fixtures|cypress|testing)\//i;
const TEST_FILE =
  /(_test\.go$|(^|\/)src\/test\/|(^|\/)\w+(Test|Tests|IT)\.java$|[._-](test|spec|e2e-spec|stories)\.[cm]?[jt]sx?$|(^|\/)(test_[^/]*|[^/]*_test|conftest|tests)\.py$)/i;

/** Whether a file is part of the tests, by its name. */
export function isTestPath(path: string): boolean {
  return TEST_FOLDER.test(path) || TEST_FILE.test(path);
}

export function asPort(text: string): string | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const number = Number(text);
  return number > 0 && number < 65536 ? String(number) : undefined;
}

const SCHEMES: readonly (readonly [RegExp, string])[] = [
  [/^postgres(ql)?(\+\w+)?:\/\//i, 'postgres'],
  [/^mysql(\+\w+)?:\/\//i, 'mysql'],
  [/^mariadb(\+\w+)?:\/\//i, 'mariadb'],
  [/^mongodb(\+srv)?:\/\//i, 'mongodb'],
  [/^rediss?:\/\//i, 'redis'],
  [/^amqps?:\/\//i, 'rabbitmq'],
  [/^(postgres|postgresql|pg|django\.db\.backends\.postgresql(_psycopg2)?)$/, 'postgres'],
  [/^(mysql|mysql2|django\.db\.backends\.mysql)$/, 'mysql'],
  [/^mariadb$/, 'mariadb'],
  [/^mongodb$/, 'mongodb'],
];

/** The service that a string literal names, by URL scheme or as a dialect. */
export function serviceNamedBy(literal: string): string | undefined {
  return SCHEMES.find(([pattern]) => pattern.test(literal))?.[1];
}
