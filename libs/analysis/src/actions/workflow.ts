import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type Pair, type YAMLMap } from 'yaml';
import type { Span } from '../flow/ir.js';

/** A value of a workflow with its place. */
export interface Located extends Span {
  readonly text: string;
}

export interface Step extends Span {
  readonly uses: Located | undefined;
  readonly run: Located | undefined;
  readonly shell: string;
  readonly with: ReadonlyMap<string, Located>;
  readonly env: ReadonlyMap<string, Located>;
  readonly keys: readonly string[];
  readonly condition: string;
  readonly id: string;
}

export interface Job extends Span {
  readonly id: string;
  readonly steps: readonly Step[];
  readonly keys: readonly string[];
  readonly permissions: Permissions | undefined;
  readonly runsOn: Located | undefined;
  readonly needs: readonly string[];
  readonly env: ReadonlyMap<string, Located>;
  /** Secrets handed to a reusable workflow: `inherit`. */
  readonly secrets: Located | undefined;
  readonly uses: Located | undefined;
  readonly image: Located | undefined;
  readonly condition: string;
}

export interface Permissions extends Span {
  /** `write-all`, `read-all` or '' for a map. */
  readonly all: string;
  readonly scopes: ReadonlyMap<string, Located>;
}

/** A workflow or an action of GitHub as far as rules look at it. Offsets are those of the text. */
export interface Workflow {
  readonly text: string;
  readonly isAction: boolean;
  readonly events: readonly string[];
  readonly on: Span | undefined;
  /** Inputs that hold no free text: true or false, a number, one of a list. */
  readonly narrowInputs: ReadonlySet<string>;
  readonly keys: readonly string[];
  readonly permissions: Permissions | undefined;
  readonly env: ReadonlyMap<string, Located>;
  readonly jobs: readonly Job[];
  readonly problems: readonly Span[];
  /** Every text in it, however deep. */
  readonly scalars: readonly Located[];
}

const spanOf = (node: unknown): Span => {
  const range = isScalar(node) || isMap(node) || isSeq(node) ? node.range : undefined;
  return { start: range?.[0] ?? 0, end: range?.[1] ?? 0 };
};

function located(node: unknown): Located | undefined {
  const value: unknown = isScalar(node) ? node.value : undefined;
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  return { text: String(value), ...spanOf(node) };
}

function get(map: unknown, key: string): unknown {
  return isMap(map) ? map.get(key, true) : undefined;
}

const keysOf = (map: unknown): string[] => (isMap(map) ? map.items.map((pair) => keyName(pair)) : []);
const keyName = (pair: Pair): string => (isScalar(pair.key) ? String(pair.key.value) : '');

function textsOf(map: unknown): Map<string, Located> {
  const all = new Map<string, Located>();
  if (isMap(map))
    for (const pair of map.items) {
      const value = located(pair.value);
      if (value) all.set(keyName(pair), value);
    }
  return all;
}

function narrowInputsOf(on: unknown): Set<string> {
  const narrow = new Map<string, boolean>();
  for (const event of ['workflow_dispatch', 'workflow_call']) {
    const inputs = get(get(on, event), 'inputs');
    for (const name of keysOf(inputs)) {
      const type = located(get(get(inputs, name), 'type'))?.text ?? 'string';
      narrow.set(name, narrow.get(name) !== false && /^(boolean|number|choice)$/.test(type));
    }
  }
  return new Set([...narrow].flatMap(([name, isNarrow]) => (isNarrow ? [name] : [])));
}

function permissionsOf(map: unknown): Permissions | undefined {
  if (!isMap(map)) return undefined;
  const pair = map.items.find((one) => keyName(one) === 'permissions');
  if (!pair) return undefined;
  const key = spanOf(pair.key);
  const all = located(pair.value)?.text ?? '';
  return { all, scopes: textsOf(pair.value), start: key.start, end: Math.max(key.end, spanOf(pair.value).end) };
}

function stepsOf(list: unknown): Step[] {
  if (!isSeq(list)) return [];
  return list.items.flatMap((step): Step[] => {
    if (!isMap(step)) return [];
    const span = spanOf(step);
    return [
      {
        ...span,
        uses: located(get(step, 'uses')),
        run: located(get(step, 'run')),
        shell: located(get(step, 'shell'))?.text ?? '',
        with: textsOf(get(step, 'with')),
        env: textsOf(get(step, 'env')),
        keys: keysOf(step),
        condition: located(get(step, 'if'))?.text ?? '',
        id: located(get(step, 'id'))?.text ?? '',
      },
    ];
  });
}

function jobOf(pair: Pair): Job {
  const job = pair.value;
  const needs = get(job, 'needs');
  const container = get(job, 'container');
  return {
    id: keyName(pair),
    start: spanOf(pair.key).start,
    end: spanOf(pair.key).end,
    steps: stepsOf(get(job, 'steps')),
    keys: keysOf(job),
    permissions: permissionsOf(job),
    runsOn: located(get(job, 'runs-on')),
    needs: isSeq(needs) ? needs.items.flatMap((one) => located(one)?.text ?? []) : [located(needs)?.text ?? []].flat(),
    env: textsOf(get(job, 'env')),
    secrets: located(get(job, 'secrets')),
    uses: located(get(job, 'uses')),
    image: located(container) ?? located(get(container, 'image')),
    condition: located(get(job, 'if'))?.text ?? '',
  };
}

function scalarsIn(node: unknown, into: Located[]): Located[] {
  const text = located(node);
  if (text) into.push(text);
  if (isMap(node)) for (const pair of (node as YAMLMap<Node, Node>).items) scalarsIn(pair.value, into);
  if (isSeq(node)) for (const one of node.items) scalarsIn(one, into);
  return into;
}

/** Reads a workflow; undefined for YAML that is neither a workflow nor an action. */
export function readWorkflow(text: string): Workflow | undefined {
  const document = parseDocument(text, { lineCounter: new LineCounter(), uniqueKeys: true });
  const root = document.contents;
  const problems = document.errors.map(({ pos }) => ({ start: pos[0], end: Math.max(pos[1], pos[0] + 1) }));
  if (!isMap(root)) return undefined;
  const onPair = root.items.find((pair) => keyName(pair) === 'on' || keyName(pair) === 'true');
  const on = onPair?.value;
  const events = isSeq(on)
    ? on.items.flatMap((one) => located(one)?.text ?? [])
    : isMap(on)
      ? keysOf(on)
      : [located(on)?.text ?? []].flat();
  const jobs = get(root, 'jobs');
  const composite = get(root, 'runs');
  const asJob = isMap(composite)
    ? [
        {
          id: 'runs',
          start: 0,
          end: 0,
          steps: stepsOf(get(composite, 'steps')),
          keys: ['steps'],
          permissions: undefined,
          runsOn: undefined,
          needs: [],
          env: new Map<string, Located>(),
          secrets: undefined,
          uses: undefined,
          image: undefined,
          condition: '',
        },
      ]
    : [];
  return {
    text,
    isAction: !isMap(jobs) && isMap(composite),
    events,
    narrowInputs: narrowInputsOf(on),
    on: onPair && { start: spanOf(onPair.key).start, end: spanOf(onPair.key).end },
    keys: keysOf(root),
    permissions: permissionsOf(root),
    env: textsOf(get(root, 'env')),
    jobs: isMap(jobs) ? jobs.items.map((pair) => jobOf(pair)) : asJob,
    problems,
    scalars: scalarsIn(root, []),
  };
}

/** `${{ … }}` of a text, with their places in the file. */
export function expressionsIn({ text, start }: Located, file: string): Located[] {
  const source = file.slice(start);
  const found: Located[] = [];
  let from = 0;
  for (const match of text.matchAll(/\$\{\{([\s\S]*?)\}\}/g)) {
    const at = source.indexOf(match[0], from);
    const begin = at < 0 ? start : start + at;
    from = at < 0 ? from : at + match[0].length;
    found.push({ text: (match[1] ?? '').trim(), start: begin, end: begin + match[0].length });
  }
  return found;
}
