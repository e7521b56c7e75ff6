import { implement } from '@devmesh/agent-kit/action-context';
import { featureDevApplyFixes } from '@devmesh/contracts/actions/feature-dev';
import { fixPatch, roundInWords } from './fix-patch.js';

export const applyFixesAction = implement(featureDevApplyFixes, async (context) => {
  const {
    history: _history,
    files: _files,
    only: _only,
    ...result
  } = await fixPatch(context, context.input.repository, context.input.findings);
  return { ...result, summary: roundInWords(result) };
});
