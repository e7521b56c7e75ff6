import type { FindingClass, Severity } from '@devmesh/contracts/finding';
import type { TextEdit } from '../rules/fix-templates.js';

/** A finding before it is written down: a span of the file in UTF-16 code units. */
export interface Hit {
  readonly rule: string;
  readonly class: FindingClass;
  readonly cwe: number | undefined;
  readonly severity: Severity;
  readonly confidence: 'high' | 'medium' | 'low';
  readonly message: string;
  readonly start: number;
  readonly end: number;
  readonly fix?: { readonly description: string; readonly edits: readonly TextEdit[] };
}
