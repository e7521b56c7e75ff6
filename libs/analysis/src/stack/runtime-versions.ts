import type { ComponentReport } from './component-report.js';

/** Versions to choose from where a range leaves a choice, newest first. As of 2026-11; long-term ones of Node.js and Java only. */
const KNOWN = {
  node: ['24', '22', '20'],
  python: ['3.13', '3.12', '3.11', '3.10'],
  go: ['1.25', '1.24', '1.23'],
  java: ['25', '21', '17', '11', '8'],
} as const;

export interface RuntimeChoice {
  /** As in image tags: `24`, `20.11.1`, `3.12`. */
  readonly version: string;
  /** Why, for a comment. */
  readonly because: string;
}

type Version = readonly number[];

function parse(text: string): Version {
  return text
    .split('.')
    .filter((part) => /^\d+$/.test(part))
    .map(Number);
}

/** Compares as far as the shorter one goes: 3.12 equals 3.12.4. */
function compare(a: Version, b: Version): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function admits(comparator: string, version: Version): boolean {
  const match = /^(>=|<=|>|<|\^|~=|~|==|=|!=)?\s*v?(\d+(?:\.(?:\d+|x|X|\*))*)$/.exec(comparator);
  if (!match) return comparator === '*' || comparator === 'x' || comparator === '';
  const bound = parse(match[2] ?? '');
  const order = compare(version, bound);
  switch (match[1]) {
    case '>=':
      return order >= 0;
    case '>':
      return order > 0 || (order === 0 && bound.length > version.length);
    case '<=':
      return order <= 0;
    case '<':
      return order < 0 || (order === 0 && bound.slice(version.length).some((part) => part > 0));
    case '^':
      return order >= 0 && version[0] === bound[0];
    case '~=':
      return order >= 0 && compare(version, bound.slice(0, -1)) === 0;
    case '~':
      return compare(version, bound.slice(0, 2)) === 0;
    case '!=':
      return order !== 0;
    default:
      return order === 0;
  }
}

/** Whether a version satisfies a range of npm or PEP 440, as far as major and minor tell. */
export function satisfies(range: string, version: string): boolean {
  const parsed = parse(version);
  return range.split('||').some((alternative) => {
    const spaced = alternative.trim().replace(/^(\S+)\s+-\s+(\S+)$/, '>=$1 <=$2');
    return spaced
      .replace(/(>=|<=|~=|==|!=|>|<|\^|~|=)\s+/g, '$1')
      .split(/[\s,]+/)
      .filter((one) => one !== '')
      .every((one) => admits(one, parsed));
  });
}

/** The version to build with: what the repository names, the newest known one that its range admits, or the newest known one. */
export function chooseRuntime(report: ComponentReport): RuntimeChoice {
  const runtime = report.ecosystem;
  const known = KNOWN[runtime];
  const asked = report.component.runtime?.value.slice(runtime.length + 1);
  const [why] = report.component.runtime?.evidence ?? [];
  if (asked === undefined) return { version: known[0], because: `nothing says which ${runtime}: the newest known one` };
  const where = `${why?.path ?? ''} ${why?.says ?? ''}`.trim();
  if (/^\d+(\.\d+)*$/.test(asked)) return { version: asked, because: where };
  const fitting = known.find((version) => satisfies(asked, version));
  if (fitting !== undefined) return { version: fitting, because: where };
  const named = /\d+(\.\d+)?/.exec(asked)?.[0];
  return { version: named ?? known[0], because: where };
}

/** Whether an open range is a promise to others: the version alone decides for what only runs in its own image. */
function isLibrary({ component, manifest }: ComponentReport): boolean {
  return (
    component.port === undefined &&
    component.startCommand === undefined &&
    !manifest.paths.some((path) => /requirements\.txt$/.test(path))
  );
}

/**
 * Versions that a pipeline should test, newest first: every known one that the range admits where others install the component
 * (no port, no start command), else the one that it is built with. At most five.
 */
export function testedVersions(report: ComponentReport): string[] {
  const chosen = chooseRuntime(report).version;
  const asked = report.component.runtime?.value.slice(report.ecosystem.length + 1);
  if (asked === undefined || /^\d+(\.\d+)*$/.test(asked) || !isLibrary(report)) return [chosen];
  const fitting = KNOWN[report.ecosystem].filter((version) => satisfies(asked, version));
  return fitting.length > 1 ? fitting.slice(0, 5) : [chosen];
}
