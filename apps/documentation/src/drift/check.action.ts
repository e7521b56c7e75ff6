import { implement } from '@devmesh/agent-kit/action-context';
import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { documentationCheck } from '@devmesh/contracts/actions/documentation';
import { checkDocuments } from './check-documents.js';

export const check = implement(documentationCheck, async (ctx) => {
  ctx.progress('reading the repository');
  const checkout = await ctx.checkout(ctx.input.repository);
  const tree = await SourceTree.open(checkout.path, { signal: ctx.signal });
  const stack = await detectStack(tree, ctx.signal);
  ctx.progress('holding the documents to the code');
  const { output, says } = await checkDocuments(ctx, tree, stack);
  const summary = says === '' ? `${output.documents} documents say nothing that is not so` : says.slice(2);
  return { ...output, summary: summary.slice(0, 500) };
});
