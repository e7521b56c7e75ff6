import type { RunView } from '@devmesh/contracts/gateway-api';
import type { StepView } from '@devmesh/contracts/run';

export const RUN_ID = '0192f3a4-5b6c-7d8e-9f01-23456789abcd';
export const BEGAN = Date.parse('2026-03-01T12:00:00Z');
export const at = (seconds: number): string => new Date(BEGAN + seconds * 1000).toISOString();

export function step(id: string, fields: Partial<StepView> = {}): StepView {
  return {
    id,
    agent: id,
    action: `${id}/do`,
    needs: [],
    status: 'pending',
    iteration: 1,
    attempt: 1,
    startedAt: null,
    endedAt: null,
    summary: null,
    verdict: null,
    ...fields,
  };
}

/** A run of the shape of `deliver`, halfway through. */
export function runView(fields: Partial<RunView> = {}): RunView {
  return {
    id: RUN_ID,
    workflow: 'deliver',
    task: '',
    status: 'running',
    verdict: null,
    reason: null,
    createdAt: at(0),
    updatedAt: at(2),
    endedAt: null,
    workflowDigest: 'a'.repeat(64),
    repository: {
      ref: { bundles: ['b'.repeat(64)], commit: 'c'.repeat(40), base: 'c'.repeat(40), shallow: [] },
      origin: '/home/ann/shop',
      branch: 'main',
      notices: [],
    },
    steps: [
      step('understand', {
        agent: 'rag-context',
        status: 'succeeded',
        startedAt: at(0),
        endedAt: at(0.4),
        summary: 'indexed 64 files',
      }),
      step('review', { agent: 'code-review', needs: ['understand'], status: 'running', startedAt: at(0.5) }),
      step('documentation', {
        needs: ['understand'],
        status: 'failed',
        startedAt: at(0.5),
        endedAt: at(1.5),
        attempt: 2,
        summary: 'no manifest',
      }),
      step('implement', { agent: 'feature-dev', needs: ['review', 'documentation'] }),
      step('verify', { agent: 'code-review', needs: ['implement'] }),
    ],
    plan: null,
    findings: null,
    result: null,
    report: null,
    sarif: null,
    costDollars: 0,
    turnFailures: 0,
    lastTurnError: null,
    lastSeq: 3,
    ...fields,
  };
}
