import { BRANCH_EVENTS, WORKFLOW_LIMITS, type WorkflowProblem } from '@devmesh/contracts/workflow';
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import { SourceWorkflow } from './source-schema.js';
import type { Locate, Path } from './validate.js';

export type Problem = Omit<WorkflowProblem, 'line' | 'column'> & { path: Path };

/** Where the value at a path stands in the source; of a missing one, where its nearest parent does. */
function locator(document: Document.Parsed, lines: LineCounter): Locate {
  return (path) => {
    for (let length = path.length; length >= 0; length--) {
      const part = path.slice(0, length);
      const last = part.at(-1);
      const parent = length === 0 ? undefined : document.getIn(part.slice(0, -1), true);
      // The key tells better than the value where a member of a map is wrong.
      const pair = isMap(parent)
        ? parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last)
        : undefined;
      const node = pair?.key ?? document.getIn(part, true);
      if (!isNode(node) || !node.range) continue;
      const { line, col } = lines.linePos(node.range[0]);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    }
    return { line: 1, column: 1 };
  };
}

/** Where the first alias of the document stands. */
function aliasIn(document: Document.Parsed, lines: LineCounter): { line: number; column: number } {
  let offset = 0;
  visit(document, {
    Alias: (_key, alias) => {
      offset = alias.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** The deepest issues of a union tell what is wrong; the union itself only says "invalid". */
function schemaProblems(error: import('zod').ZodError): Problem[] {
  return error.issues.map((issue) => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    const at = issue.code === 'unrecognized_keys' && issue.keys[0] !== undefined ? [...path, issue.keys[0]] : path;
    const where = path.length === 0 ? 'the workflow' : `\`${path.join('.')}\``;
    const isBranch = BRANCH_EVENTS.some((on) => path.includes(`on_${on}`));
    const cure =
      issue.code === 'invalid_union' && isBranch
        ? 'the name of a step, log_and_notify, fail, or {action: retry, target: STEP, max_attempts: N}'
        : issue.message;
    const unbounded =
      isBranch &&
      (path.at(-1) === 'max_attempts' ||
        (issue.code === 'invalid_union' && /^(?!.*"action").*max_attempts/s.test(JSON.stringify(issue.errors))));
    const tooMany = issue.code === 'too_big' && path.join('.') === 'steps';
    return {
      code: unbounded ? 'unbounded_loop' : tooMany ? 'limit' : 'schema',
      path: at,
      message: unbounded
        ? `${where}: a loop says how often it may go round: max_attempts, 1 to ${WORKFLOW_LIMITS.reworkRounds}`
        : `${where}: ${cure}`,
    };
  });
}

export type SourceFile =
  | { readonly workflow: SourceWorkflow; readonly located: (problem: Problem) => WorkflowProblem }
  | { readonly problems: readonly WorkflowProblem[] };

/** Reads the YAML of a workflow: its shape, with a way to tell where things stand; or every problem of syntax and shape. */
export function readSourceFile(source: string): SourceFile {
  if (Buffer.byteLength(source) > WORKFLOW_LIMITS.sourceBytes) {
    const message = `a workflow has at most ${WORKFLOW_LIMITS.sourceBytes} bytes`;
    return { problems: [{ code: 'limit', line: 1, column: 1, message }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(source, {
    lineCounter: lines,
    prettyErrors: false,
    maxAliasCount: 0,
    stringKeys: true,
  } as Parameters<typeof parseDocument>[1]);
  if (document.errors.length > 0) {
    const problems = document.errors.map((error): WorkflowProblem => {
      const { line, col } = lines.linePos(error.pos[0]);
      return { code: 'yaml', line: Math.max(1, line), column: Math.max(1, col), message: error.message };
    });
    return { problems };
  }
  const locate = locator(document, lines);
  const located = (problem: Problem): WorkflowProblem => ({
    code: problem.code,
    message: problem.message,
    ...locate(problem.path),
  });
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch {
    const message = 'aliases are not read; write the value out';
    return { problems: [{ code: 'yaml', ...aliasIn(document, lines), message }] };
  }
  const parsed = SourceWorkflow.safeParse(value);
  return parsed.success ? { workflow: parsed.data, located } : { problems: schemaProblems(parsed.error).map(located) };
}
