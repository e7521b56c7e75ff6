import type { Span } from '../flow/ir.js';
import type { Candidate } from './candidate.js';
import { FILE_FIXES } from './file-fixes.js';
import { JAVASCRIPT_FIXES, timingSafeEqual } from './javascript-fixes.js';
import { compareDigest, PYTHON_FIXES } from './python-fixes.js';
import type { CodeFix, TextEdit } from './text-edit.js';

/**
 * How safe fixes are made, by name. Each gives the fewest edits that remove the finding and touches no other byte, or
 * undefined where this occurrence has no safe fix.
 */
export const FIXES = {
  ...JAVASCRIPT_FIXES,
  ...PYTHON_FIXES,
  'constant-time': (of) => (of.bindings.language === 'python' ? compareDigest(of) : timingSafeEqual(of)),
  /** A Dockerfile's checks bring their edits along. */
  docker: () => undefined,
} as const satisfies Record<string, CodeFix>;

export type FixName = keyof typeof FIXES | keyof typeof FILE_FIXES;

/** The edits of a fix at a span; `candidate` is asked for the node there, in what has a tree. */
export function editsOf(
  name: FixName,
  text: string,
  span: Span,
  candidate: () => Candidate | undefined,
): TextEdit[] | undefined {
  if (isFileFix(name)) return FILE_FIXES[name](text, span);
  const of = candidate();
  return of && FIXES[name](of);
}

function isFileFix(name: FixName): name is keyof typeof FILE_FIXES {
  return name in FILE_FIXES;
}
