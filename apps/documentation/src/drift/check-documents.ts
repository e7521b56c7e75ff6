import type { ActionContext } from '@devmesh/agent-kit/action-context';
import { findDrift } from '@devmesh/analysis/documents/find-drift';
import { countBySeverity, countsText } from '@devmesh/analysis/report/verdict';
import type { StackReport } from '@devmesh/analysis/stack/component-report';
import type { SourceTree } from '@devmesh/analysis/tree/source-tree';
import type { ArtifactRef } from '@devmesh/contracts/artifact';
import { MediaType } from '@devmesh/contracts/artifact';
import type { FindingsDocument, SeverityCounts } from '@devmesh/contracts/finding';

export interface CheckedDocuments {
  readonly output: { counts: SeverityCounts; findings: ArtifactRef; documents: number };
  /** For the end of a summary: empty when every statement holds. */
  readonly says: string;
}

/** Holds the documents of a tree to it, and stores what they say that is not so. */
export async function checkDocuments(
  ctx: Pick<ActionContext<unknown>, 'artifacts' | 'signal'>,
  tree: SourceTree,
  stack: StackReport,
): Promise<CheckedDocuments> {
  const { findings, documents } = await findDrift(tree, stack, { signal: ctx.signal });
  const document: FindingsDocument = { version: 1, findings: [...findings] };
  const counts = countBySeverity(findings);
  const stored = await ctx.artifacts.put(Buffer.from(`${JSON.stringify(document, null, 2)}\n`), {
    name: 'documentation-findings.json',
    mediaType: MediaType.json,
  });
  const says = findings.length === 0 ? '' : `; ${countsText(findings)} in ${documents} documents`;
  return { output: { counts, findings: stored, documents }, says };
}
