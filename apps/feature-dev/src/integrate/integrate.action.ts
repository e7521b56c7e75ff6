import { implement } from '@devmesh/agent-kit/action-context';
import { featureDevIntegrate } from '@devmesh/contracts/actions/feature-dev';
import { integratePatches } from './integrate-patches.js';

export const integrateAction = implement(featureDevIntegrate, (context) =>
  integratePatches(context, context.input.repository, context.input.patches),
);
