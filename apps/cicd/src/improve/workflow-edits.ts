import { lineStart, makeEdits, nextLine, type EditedFile, type ReasonedEdit } from '@devmesh/analysis/stack/line-edits';
import { isMap, isScalar, isSeq, parseDocument, type Pair, type YAMLMap } from 'yaml';
import { pinOf } from '../pipelines/pinned-actions.js';

/** Jobs of GitHub end by themselves only after this many minutes. */
const DEFAULT_MINUTES = 360;
const TIMEOUT_MINUTES = 60;

/** Actions that need no more than to read the repository. */
const READERS =
  /^(actions\/(checkout|setup-[\w-]+|cache|upload-artifact|download-artifact)|pnpm\/action-setup|astral-sh\/setup-uv|golangci\/golangci-lint-action|codecov\/codecov-action|docker\/setup-[\w-]+)(\/|$)/;
/** Words by which a workflow does more with the repository than to read it, or hands its token on. */
const MORE =
  /GITHUB_TOKEN|github\.token|secrets\.[A-Z_]*(TOKEN|PAT)\b|\bgit\s+(push|fetch|pull|clone|submodule|ls-remote|commit|tag)\b|\bgh\s+\w|\bhub\s+\w|npm publish|semantic-release|id-token/;

interface Step {
  readonly map: YAMLMap;
  readonly uses: Pair | undefined;
}

/**
 * Small edits that make a workflow of GitHub Actions safer without changing what it does: rights, time limits, overtaken runs,
 * pinned actions, credentials in the checkout. Undefined when there is nothing to improve, or when it can't be read.
 */
export function improveWorkflow(path: string, text: string): EditedFile | undefined {
  const root = read(text);
  const jobs = root && mapAt(root, 'jobs');
  if (!root || !jobs || jobs.flow) return undefined;
  const all = jobs.items.flatMap(({ value }) => (isMap(value) && !value.flow ? [value] : []));
  const steps = all.flatMap(stepsOf);
  const onlyReads =
    !MORE.test(text) && all.every((job) => !job.has('uses')) && steps.every(({ uses }) => !uses || reads(nameOf(uses)));
  const edits = [
    ...topEdits(text, root, all, onlyReads),
    ...all.flatMap((job) => timeoutEdit(text, job)),
    ...steps.flatMap((step) => [...pinEdit(text, step), ...(onlyReads ? credentialsEdit(text, step) : [])]),
  ];
  const edited = makeEdits(path, text, edits);
  return edited && read(edited.content) ? edited : undefined;
}

function read(text: string): YAMLMap | undefined {
  const document = parseDocument(text, { version: '1.2', keepSourceTokens: false });
  return document.errors.length === 0 && isMap(document.contents) && !document.contents.flow
    ? document.contents
    : undefined;
}

function mapAt(map: YAMLMap, key: string): YAMLMap | undefined {
  const value: unknown = map.get(key, true);
  return isMap(value) ? value : undefined;
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

function startOf(node: unknown): number {
  return isScalar(node) || isMap(node) || isSeq(node) ? (node.range?.[0] ?? 0) : 0;
}

function endOf(node: unknown): number {
  return isScalar(node) || isMap(node) || isSeq(node) ? (node.range?.[1] ?? 0) : 0;
}

function nameOf(uses: Pair): string {
  return isScalar(uses.value) && typeof uses.value.value === 'string' ? uses.value.value : '';
}

function reads(uses: string): boolean {
  return uses.startsWith('./') ? false : READERS.test(uses.split('@')[0] ?? '');
}

function stepsOf(job: YAMLMap): Step[] {
  const steps: unknown = job.get('steps', true);
  if (!isSeq(steps) || steps.flow) return [];
  return steps.items.flatMap((map) => (isMap(map) && !map.flow ? [{ map, uses: pairOf(map, 'uses') }] : []));
}

function triggers(root: YAMLMap): string[] {
  const on: unknown = root.get('on', true);
  if (isScalar(on)) return [String(on.value)];
  if (isSeq(on)) return on.items.map((item) => (isScalar(item) ? String(item.value) : ''));
  return isMap(on) ? on.items.map(({ key }) => (isScalar(key) ? String(key.value) : '')) : [];
}

function topEdits(text: string, root: YAMLMap, jobs: readonly YAMLMap[], onlyReads: boolean): ReasonedEdit[] {
  const at = aboveComments(text, startOf(pairOf(root, 'jobs')?.key));
  const insert = (written: string, change: string, reason: string): ReasonedEdit => ({
    start: at,
    end: at,
    text: `${written}\n\n`,
    change,
    reason,
  });
  const edits: ReasonedEdit[] = [];
  if (onlyReads && !root.has('permissions') && jobs.some((job) => !job.has('permissions'))) {
    edits.push(
      insert(
        'permissions:\n  contents: read',
        'add permissions: contents: read',
        "without it the job's token may have every right that the repository's settings give; nothing here needs more than to read",
      ),
    );
  }
  const on = triggers(root);
  const checks = on.includes('pull_request') && on.every((one) => /^(push|pull_request|workflow_dispatch)$/.test(one));
  if (checks && onlyReads && !root.has('concurrency') && jobs.every((job) => !job.has('concurrency'))) {
    edits.push(
      insert(
        "concurrency:\n  group: ${{ github.workflow }}-${{ github.ref }}\n  cancel-in-progress: ${{ github.event_name == 'pull_request' }}",
        'add concurrency that cancels overtaken runs of pull requests',
        'a newer push to a pull request makes the run of the older one useless',
      ),
    );
  }
  return edits;
}

/** The start of the line of `offset`, or of the comment right above it. */
function aboveComments(text: string, offset: number): number {
  let at = lineStart(text, offset);
  while (at > 0) {
    const before = lineStart(text, at - 1);
    if (!/^#/.test(text.slice(before, at))) break;
    at = before;
  }
  return at;
}

/** Blanks in front of a key, where it begins its line; undefined where something else stands before it. */
function indentOf(text: string, key: number): string | undefined {
  const before = text.slice(lineStart(text, key), key);
  return /^[ ]*$/.test(before) ? before : undefined;
}

function timeoutEdit(text: string, job: YAMLMap): ReasonedEdit[] {
  const runsOn = pairOf(job, 'runs-on');
  const key = startOf(runsOn?.key);
  const indent = indentOf(text, key);
  const written: unknown = job.get('timeout-minutes', true);
  if (!runsOn || indent === undefined || written !== undefined || job.has('uses')) return [];
  const at = isScalar(runsOn.value) ? nextLine(text, Math.max(key, endOf(runsOn.value) - 1)) : lineStart(text, key);
  return [
    {
      start: at,
      end: at,
      text: `${indent}timeout-minutes: ${TIMEOUT_MINUTES}\n`,
      change: `add timeout-minutes: ${TIMEOUT_MINUTES}`,
      reason: `a job that hangs would hold a runner for ${DEFAULT_MINUTES} minutes`,
    },
  ];
}

function pinEdit(text: string, { uses }: Step): ReasonedEdit[] {
  const [name = '', tag = ''] = uses ? nameOf(uses).split('@') : [];
  const pin = pinOf(name, tag);
  if (!uses || !pin) return [];
  const start = startOf(uses.value);
  const end = endOf(uses.value);
  if (!text.slice(start, end).includes(`${name}@${tag}`)) return [];
  const rest = /^[ \t]*(#[ \t]*)?/.exec(text.slice(end))?.[0] ?? '';
  return [
    {
      start,
      end: end + rest.length,
      text: `${name}@${pin.commit} # ${pin.version}${rest.includes('#') ? ' ' : ''}`,
      change: `pin ${name}@${tag} to the commit of ${pin.version}`,
      reason: 'whoever owns the action can move a tag to other code; a commit stays what it is',
    },
  ];
}

function credentialsEdit(text: string, { map, uses }: Step): ReasonedEdit[] {
  if (!uses || !nameOf(uses).startsWith('actions/checkout@')) return [];
  const withPair = pairOf(map, 'with');
  const key = startOf(uses.key);
  const column = ' '.repeat(key - lineStart(text, key));
  const edit = (at: number, written: string): ReasonedEdit[] => [
    {
      start: at,
      end: at,
      text: written,
      change: 'add persist-credentials: false',
      reason: 'the token would stay in .git/config for every later step to read; none of them uses git with it',
    },
  ];
  if (!withPair)
    return edit(nextLine(text, endOf(uses.value)), `${column}with:\n${column}  persist-credentials: false\n`);
  const { value } = withPair;
  if (!isMap(value) || value.flow || value.has('persist-credentials')) return [];
  const first = startOf(value.items[0]?.key);
  const indent = indentOf(text, first);
  return indent === undefined ? [] : edit(lineStart(text, first), `${indent}persist-credentials: false\n`);
}
