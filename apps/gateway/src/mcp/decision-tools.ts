import { ApprovalPage, ApprovalRecord } from '@devmesh/contracts/approval';
import { FindingPage } from '@devmesh/contracts/finding-fate';
import { ApprovalListQuery, VerdictBody } from '@devmesh/contracts/gateway-api';
import { RunId } from '@devmesh/contracts/ids';
import { z } from 'zod';
import type { ApprovalsService } from '../approvals/approvals.service.js';
import type { FindingsService } from '../findings/findings.service.js';
import { tool, type Tool } from './tool.js';

/** What runs found, and what people are asked. */
export function decisionTools(approvals: ApprovalsService, findings: FindingsService): Tool[] {
  return [
    tool({
      name: 'list_findings',
      title: 'List findings',
      description:
        'The findings that a run had of its repository, and what became of each. Where exactly and why is in findings.sarif of the run.',
      input: z.object({ runId: RunId }),
      output: FindingPage,
      hints: { readOnlyHint: true },
      answer: ({ runId }, { caller }) => findings.ofRun(caller, runId),
    }),
    tool({
      name: 'list_approvals',
      title: 'List approvals',
      description:
        'What people of the project are asked, the oldest first: "open" is what waits for a verdict. Subject says what it is about.',
      input: ApprovalListQuery,
      output: ApprovalPage,
      hints: { readOnlyHint: true },
      answer: (query, { caller }) => approvals.list(caller, query),
    }),
    tool({
      name: 'decide_approval',
      title: 'Decide an approval',
      description:
        'Gives the verdict of a person on an approval. Only after the person has seen its title and subject and said what to do; ' +
        'hash is that of the approval as it was shown: if it is another by now, the verdict is refused.',
      input: VerdictBody.extend({ approvalId: z.uuid() }),
      output: ApprovalRecord,
      hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
      answer: ({ approvalId, ...verdict }, { caller }) => approvals.decide(caller, approvalId, verdict),
    }),
  ];
}
