import { ApprovalEntity } from '../approvals/approval.entity.js';
import { ArtifactEntity } from '../artifacts/artifact.entity.js';
import { RunArtifactEntity } from '../artifacts/run-artifact.entity.js';
import { BarredExecutionEntity } from '../effects/barred-execution.entity.js';
import { EffectEntity } from '../effects/effect.entity.js';
import { ExecutionEntity } from '../executions/execution.entity.js';
import { FindingEntity } from '../findings/finding.entity.js';
import { InboxEntity } from '../inbox/inbox.entity.js';
import { ApiKeyEntity } from '../projects/api-key.entity.js';
import { ProjectEntity } from '../projects/project.entity.js';
import { AppendEntity } from '../runs/append.entity.js';
import { IdempotencyKeyEntity } from '../runs/idempotency-key.entity.js';
import { RunEventEntity } from '../runs/run-event.entity.js';
import { RunHeadEntity } from '../runs/run-head.entity.js';
import { RunSlotEntity } from '../runs/run-slot.entity.js';
import { RunEntity } from '../runs/run.entity.js';
import { TriggerEntity, TriggerFiringEntity } from '../triggers/trigger.entity.js';
import { WorkflowEntity } from '../workflows/workflow.entity.js';

/** Every table of the product. A migration follows from a change here; a test compares the two. */
export const ENTITIES = [
  ProjectEntity,
  ApiKeyEntity,
  WorkflowEntity,
  RunEntity,
  RunHeadEntity,
  RunEventEntity,
  AppendEntity,
  InboxEntity,
  ExecutionEntity,
  ArtifactEntity,
  RunArtifactEntity,
  IdempotencyKeyEntity,
  RunSlotEntity,
  ApprovalEntity,
  EffectEntity,
  BarredExecutionEntity,
  TriggerEntity,
  TriggerFiringEntity,
  FindingEntity,
];
