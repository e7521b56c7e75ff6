import type { FindingClass, Severity } from '@devmesh/contracts/finding';
import type { TextEdit } from '../rules/text-edit.js';

/** A station of data on its way to a finding. */
export interface TracePoint {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly note: string;
}

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
  /** The whole span is a value that nobody may see. */
  readonly isValue?: boolean;
  /** Where data comes in, where it passes; the place of the hit itself comes after. */
  readonly trace?: readonly TracePoint[];
  readonly fix?: { readonly description: string; readonly edits: readonly TextEdit[] };
}
