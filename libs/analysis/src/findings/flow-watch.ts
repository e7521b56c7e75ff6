import { isJavaScript, type FlowLanguage } from '../parse/language.js';
import { SEVERITIES, type FindingClass, type Severity } from '@devmesh/contracts/finding';
import type { CallFacts, Watcher } from '../flow/engine.js';
import type { Expr, ExprOf, Module, Span } from '../flow/ir.js';
import {
  HOLE,
  isHarmless,
  TAINTED_HOLE,
  taintOf,
  type Frame,
  type Origin,
  type Station,
  type Taint,
  type Value,
} from '../flow/value.js';
import { visit } from '../flow/visit.js';
import type {
  AssignMatch,
  CallMatch,
  ElementMatch,
  ExpressionMatch,
  FlowMatch,
  ReturnMatch,
  ShapeTest,
  StatementMatch,
} from '../rules/flow-match.js';
import { argument } from '../rules/flow-match.js';
import type { RuleDefinition } from '../rules/rule.js';
import type { Hit, TracePoint } from './hit.js';

interface Armed<M extends FlowMatch> {
  readonly rule: RuleDefinition;
  readonly match: M;
}

/** Matches by exact name, by the last part of it (`*.exec`), and by all but the last part (`REQ.session.*`). */
class ByName<M extends FlowMatch> {
  readonly #exact = new Map<string, Armed<M>[]>();
  readonly #method = new Map<string, Armed<M>[]>();

  add(names: string, armed: Armed<M>): void {
    for (const name of names.trim().split(/\s+/)) {
      const [table, key] = name.startsWith('*.') ? [this.#method, name.slice(2)] : [this.#exact, name];
      table.set(key, [...(table.get(key) ?? []), armed]);
    }
  }

  get(ref: string): readonly Armed<M>[] {
    const dot = ref.lastIndexOf('.');
    return [
      ...(this.#exact.get(ref) ?? []),
      ...(this.#method.get(ref.slice(dot + 1)) ?? []),
      ...(dot < 0 ? [] : (this.#exact.get(`${ref.slice(0, dot)}.*`) ?? [])),
    ];
  }
}

/** What a search for forms found of these is left out, where the walk has seen that only known or checked values come there. */
const INJECTIONS: ReadonlySet<FindingClass> = new Set<FindingClass>([
  'sql-injection',
  'command-injection',
  'code-injection',
  'path-traversal',
  'xss',
]);

/** Calls that can do harm by their second argument as well; of all others the first is the query, the command, the path, the markup. */
const TAKES_TWO =
  /^(spawn\w*|exec(File|v|l|le|ve|vp)\w*|fork|rename\w*|copy\w*|symlink\w*|link\w*|mv|move|join|send|insertAdjacentHTML|write\w*Head|Function|Script|set[A-Z]\w*|run|runIn\w*|call|check_\w+|Popen|html)$/;

const DEFAULT_ORIGINS: readonly Origin[] = ['remote', 'local'];
const SQL =
  /^[\s(]*(select\b|insert\s+into\b|insert\s+ignore|update\s|delete\s+from\b|with\s+\w+\s+as\b|replace\s+into\b|merge\s+into\b|create\s+(table|database|user|index|view)\b|drop\s|alter\s|truncate\s|exec(ute)?\s|call\s|grant\s|show\s|use\s|explain\s|begin\b|set\s+\w+\s*=|from\s)|\b(where|order by|limit|values|from)\b.*[=\u0000\u0001]/is;

/** The flow rules of a review, by what they look at. */
export class FlowRules {
  readonly calls = new ByName<CallMatch>();
  readonly assigns = new ByName<AssignMatch>();
  readonly elements = new Map<string, Armed<ElementMatch>[]>();
  readonly returns: Armed<ReturnMatch>[] = [];
  readonly statements = new Map<string, Armed<StatementMatch>[]>();
  readonly expressions = new Map<string, Armed<ExpressionMatch>[]>();

  constructor(rules: readonly RuleDefinition[]) {
    for (const rule of rules) {
      if (!('flow' in rule.matches)) continue;
      for (const match of rule.matches.flow) {
        if ('calls' in match) this.calls.add(match.calls, { rule, match });
        else if ('assigns' in match) this.assigns.add(match.assigns, { rule, match });
        else if ('attribute' in match) addTo(this.elements, match.attribute, { rule, match });
        else if ('returns' in match) this.returns.push({ rule, match });
        else if ('statement' in match) addTo(this.statements, match.statement, { rule, match });
        else addTo(this.expressions, match.expression, { rule, match });
      }
    }
  }
}

function addTo<T>(table: Map<string, T[]>, key: string, one: T): void {
  const list = table.get(key) ?? [];
  table.set(key, list);
  list.push(one);
}

/** Turns what happens while a file is walked into hits of the rules that have to do with it. One for each walk. */
export class FlowWatch implements Watcher {
  /** By path, then by rule and place: what is walked twice is found once. */
  readonly #hits = new Map<string, Map<string, Hit>>();
  readonly failed = new Map<string, string>();
  /** By path, then by place: for which classes each value that came there was harmless. */
  readonly #judged = new Map<string, Map<string, ReadonlySet<FindingClass>>>();

  constructor(readonly rules: FlowRules) {}

  /** By path, for every file that something was found in. */
  hits(): Map<string, Hit[]> {
    return new Map([...this.#hits].map(([path, hits]) => [path, [...hits.values()]]));
  }

  /** Whether every text that was ever put together, or handed to a call, at a place was known, checked, a number, or cleaned for a class. */
  isHarmless(path: string, { start, end }: Span, kind: FindingClass): boolean {
    return this.#judged.get(path)?.get(`${start} ${end}`)?.has(kind) === true;
  }

  text(value: Value, frame: Frame, span: Span): void {
    this.#judge(frame.module.path, span, [value]);
  }

  #judge(path: string, { start, end }: Span, values: readonly Value[]): void {
    const places = this.#judged.get(path) ?? new Map<string, ReadonlySet<FindingClass>>();
    this.#judged.set(path, places);
    const key = `${start} ${end}`;
    const before = places.get(key);
    if (before?.size === 0) return;
    const clean = values.every((one) => isHarmless(one) || one.closures !== undefined);
    if (clean && before) return;
    const kinds = clean
      ? INJECTIONS
      : new Set([...(before ?? INJECTIONS)].filter((kind) => values.every((one) => isHarmless(one, kind))));
    places.set(key, kinds);
  }

  call(facts: CallFacts): void {
    const [text] = facts.args;
    if (text) {
      const parts =
        facts.method === 'format'
          ? [...facts.args, ...facts.named.values()]
          : TAKES_TWO.test(facts.method)
            ? facts.args.slice(0, 2)
            : [argument(facts, 'sql', 'text', 0) ?? text];
      this.#judge(facts.frame.module.path, facts.node, parts);
    }
    for (const { rule, match } of this.rules.calls.get(facts.ref)) {
      this.#guarded(rule, facts.frame, () => {
        if (match.when && !match.when(facts)) return;
        const taint = match.taint ? this.#taintedArgument(facts, match.taint, rule.class) : undefined;
        if (match.taint && !taint) return;
        this.#add(rule, facts.frame.module.path, facts.node, taint);
      });
    }
  }

  assigned(target: Expr, ref: string, value: Value, frame: Frame, span: Span): void {
    if (/\.(inner|outer)HTML$/.test(ref)) this.#judge(frame.module.path, span, [value]);
    for (const { rule, match } of this.rules.assigns.get(ref)) {
      this.#guarded(rule, frame, () => {
        if (match.when && !match.when(value, target)) return;
        const taint = match.taint
          ? tainted(value, match.taint.shape ?? 'any', match.taint.origins ?? DEFAULT_ORIGINS, rule.class)
          : undefined;
        if (match.taint && !taint) return;
        this.#add(rule, frame.module.path, span, taint);
      });
    }
  }

  element(node: ExprOf<'element'>, attributes: ReadonlyMap<string, Value>, frame: Frame): void {
    for (const { key, value: at } of node.attributes) {
      const value = attributes.get(key ?? '...');
      const html = at.k === 'object' ? at.entries.find((entry) => entry.key === '__html')?.value : undefined;
      if (html) {
        const start = frame.module.text.lastIndexOf('__html', html.start);
        this.#judge(frame.module.path, { start, end: html.end }, [value?.fields?.get('__html') ?? {}]);
      }
      for (const { rule, match } of this.rules.elements.get(key ?? '...') ?? []) {
        if (!value) continue;
        this.#guarded(rule, frame, () => {
          if (match.when && !match.when(value, node.tag, attributes)) return;
          const taint = match.taint
            ? tainted(value, match.taint.shape ?? 'any', match.taint.origins ?? DEFAULT_ORIGINS, rule.class)
            : undefined;
          if (match.taint && !taint) return;
          this.#add(rule, frame.module.path, at, taint);
        });
      }
    }
  }

  returned(value: Value, frame: Frame, span: Span): void {
    for (const { rule, match } of this.rules.returns) {
      this.#guarded(rule, frame, () => {
        const taint = tainted(value, match.taint.shape ?? 'any', match.taint.origins ?? DEFAULT_ORIGINS, rule.class);
        if (taint && match.returns(value, frame)) this.#add(rule, frame.module.path, span, taint);
      });
    }
  }

  /** The rules that look at the form of nodes alone. */
  forms(module: Module): void {
    const run = (rule: RuleDefinition, node: Span, test: () => boolean | Span): void => {
      if (!speaks(rule, module.language)) return;
      this.#try(rule, () => {
        const found = test();
        if (found !== false) this.#add(rule, module.path, found === true ? node : found, undefined);
      });
    };
    visit(module, {
      statement: (node) => {
        for (const { rule, match } of this.rules.statements.get(node.k) ?? [])
          run(rule, node, () => match.when(node, module));
      },
      expression: (node, parents) => {
        for (const { rule, match } of this.rules.expressions.get(node.k) ?? [])
          run(rule, node, () => match.when(node, module, parents));
      },
    });
  }

  #taintedArgument(
    facts: CallFacts,
    test: { in: 'any' | readonly (number | string)[]; origins?: readonly Origin[]; shape?: ShapeTest },
    kind: FindingClass,
  ): Taint | undefined {
    const values =
      test.in === 'any'
        ? [...facts.args, ...facts.named.values()]
        : test.in.map((key) => (key === 'receiver' ? facts.receiver : argument(facts, key)));
    for (const value of values) {
      const taint = value && tainted(value, test.shape ?? 'any', test.origins ?? DEFAULT_ORIGINS, kind);
      if (taint) return taint;
    }
    return undefined;
  }

  #guarded(rule: RuleDefinition, frame: Frame, run: () => void): void {
    if (speaks(rule, frame.module.language)) this.#try(rule, run);
  }

  /** A rule that throws is a flaw of the rule; the others' findings stand. */
  #try(rule: RuleDefinition, run: () => void): void {
    if (this.failed.has(rule.id)) return;
    try {
      run();
    } catch (error) {
      this.failed.set(rule.id, error instanceof Error ? error.message : String(error));
    }
  }

  #add(rule: RuleDefinition, path: string, span: Span, taint: Taint | undefined): void {
    const hits = this.#hits.get(path) ?? new Map<string, Hit>();
    this.#hits.set(path, hits);
    const key = `${rule.id} ${span.start} ${span.end}`;
    if (hits.has(key)) return;
    hits.set(key, {
      rule: rule.id,
      class: rule.class,
      cwe: rule.cwe,
      severity: taint ? severityFrom(rule.severity, taint.origin) : rule.severity,
      confidence: taint && taint.origin !== 'remote' ? 'medium' : rule.confidence,
      message: rule.message,
      start: span.start,
      end: span.end,
      ...(taint ? { trace: traceOf(taint.way) } : {}),
    });
  }
}

/** What only whoever starts the program chooses, or whoever calls an exported function, does less harm than what any client does. */
function severityFrom(severity: Severity, origin: Origin): Severity {
  if (origin === 'remote') return severity;
  const most: Severity = origin === 'local' ? 'high' : 'medium';
  return SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(most) ? most : severity;
}

function speaks(rule: RuleDefinition, language: FlowLanguage): boolean {
  return language === 'javascript' ? rule.languages.some(isJavaScript) : rule.languages.includes(language);
}

const MAX_TRACE = 12;

/** From where data comes in to where it is used. */
function traceOf(way: Station): TracePoint[] {
  const points: TracePoint[] = [];
  for (let at: Station | undefined = way; at; at = at.before)
    points.push({ path: at.path, start: at.start, end: at.end, note: at.note });
  points.reverse();
  return points.length <= MAX_TRACE ? points : [...points.slice(0, 1), ...points.slice(1 - MAX_TRACE)];
}

/** The taint of a value, when it can do the harm of a class and the text has the form that is asked for. */
function tainted(value: Value, shape: ShapeTest, origins: readonly Origin[], kind: FindingClass): Taint | undefined {
  const taint = taintOf(value);
  if (!taint || !origins.includes(taint.origin) || taint.cleared.has(kind) || value.numeric === true) return undefined;
  const text = value.shape;
  switch (shape) {
    case 'any':
      return taint;
    case 'structured':
      return taint.structured ? taint : undefined;
    case 'sql':
      // Parts of a query, as `where=[…]` of Django.
      for (const one of value.items ?? []) {
        const found = one.fields || one.items ? undefined : tainted(one, 'built', origins, kind);
        if (found) return found;
      }
      return text !== undefined
        ? SQL.test(text)
          ? taint
          : undefined
        : value.fields || value.items
          ? undefined
          : taint;
    case 'built':
      // Known text around it; alone it is the whole, and whoever calls means it so.
      return text !== undefined && text !== TAINTED_HOLE && text.includes(TAINTED_HOLE) ? taint : undefined;
    case 'markup':
      if (value.fields || value.items) return undefined;
      return text === undefined || /<|^\u0001+$/.test(text) ? taint : undefined;
    case 'host':
      if (value.fields && !value.taint) return undefined;
      return text === undefined || decidesHost(text) ? taint : undefined;
    case 'start':
      return text === undefined || text.startsWith(TAINTED_HOLE) ? taint : undefined;
  }
}

/** Whether tainted text can choose where an address leads: what stands before it neither ends a host nor is unknown. */
function decidesHost(text: string): boolean {
  const at = text.indexOf(TAINTED_HOLE);
  if (at < 0) return false;
  const before = text.slice(0, at);
  if (before.includes(HOLE)) return false;
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*$/i.test(before))
    return !/[.:]\w*$/.test(before) || /@$/.test(before) || /^\w+:\/\/$/.test(before);
  return before === '' || before === '/' || before === '//';
}
