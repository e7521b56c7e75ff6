/** A statement of a document: something that can hold or not. Offsets are UTF-16 code units of the text. */
interface At {
  readonly start: number;
  readonly end: number;
  /** Headings above it, outermost first, as plain text. */
  readonly under: readonly string[];
  /** The line or paragraph around it. */
  readonly context: string;
}

export interface Link extends At {
  /** As written: `../guide.md#set-up`. */
  readonly target: string;
}

export interface CodeSpan extends At {
  readonly text: string;
}

export interface Prose extends At {
  readonly text: string;
}

export interface CodeBlock extends At {
  /** First word after the fence, lower case; empty when there is none. */
  readonly language: string;
  readonly text: string;
}

/** What can be read of a document without understanding its language. */
export interface Document {
  readonly path: string;
  readonly text: string;
  /** `guide` says how things are; `record` says how they were, so only its links are held to what is there. */
  readonly kind: 'guide' | 'record';
  readonly links: readonly Link[];
  readonly spans: readonly CodeSpan[];
  readonly blocks: readonly CodeBlock[];
  readonly prose: readonly Prose[];
  /** Where links with "#" can go, in the form of `anchorKey`. */
  readonly anchors: ReadonlySet<string>;
}

/**
 * GitHub, MkDocs, Docusaurus and Sphinx make different anchors of one heading; they agree on its letters and digits. Comparing
 * those alone misses a hyphen too many and never names a link that works somewhere.
 */
export function anchorKey(anchor: string): string {
  return anchor
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

const FIXTURES =
  /(^|\/)(tests?|__tests__|specs?|fixtures?|__fixtures__|__snapshots__|testdata|test-data|mocks?|templates?|boilerplates?|corpus|archetypes|stubs?|_?drafts)\//i;
const ABOUT_NOTHING_HERE =
  /(^|\/)(licen[cs]e|copying|notice|code[-_]of[-_]conduct|authors|contributors|changelog|changes|history|news|releases?|release[-_]notes|security|pull_request_template|issue_template)(\.[\w.-]+)?\.(md|markdown|rst)$/i;
const RECORDS =
  /(^|\/)(adrs?|decisions?|rfcs?|proposals?|blog|posts?|news|archived?|legacy|migrations?|migrating|upgrading|releases?|release-notes|changelogs?|changes|whatsnew|meeting[-_]notes|retros?|plans?|specs?|v?\d+(\.(\d+|x))+)(\/|[^/]*$)/i;
const RECORD_NAME = /(^|\/)(migrat|upgrad|whats?[-_]?new|roadmap|todo|deprecat)[^/]*$|(^|[/_.-])v?\d+\.\d+[^/]*$/i;

/** What a file is as a document; undefined when it is none that could go stale. */
export function documentKind(path: string): Document['kind'] | undefined {
  if (!/\.(md|markdown|rst)$/i.test(path) || FIXTURES.test(path) || ABOUT_NOTHING_HERE.test(path)) return undefined;
  if (/^\.(?!github\/[^/]+$)/.test(path)) return undefined;
  const readme =
    /(^|\/)(readme|contributing|development|develop|hacking|install|installation|usage|architecture)\.[a-z]+$/i;
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  if (RECORDS.test(folder)) return 'record';
  return !readme.test(path) && RECORD_NAME.test(path) ? 'record' : 'guide';
}
