import { randomBytes, randomUUID } from 'node:crypto';
import { DevmeshError } from '@devmesh/contracts/errors';
import { Json } from '@devmesh/contracts/json';
import type {
  CreateTrigger,
  DeliveryReply,
  TriggerCreated,
  TriggerRecord,
  TriggerView,
} from '@devmesh/contracts/trigger';
import type { StateTriggers } from '@devmesh/service-client/state-triggers';
import type { z } from 'zod';
import type { Caller } from '../api-keys/caller.js';
import { inside } from '../upstream/inside.js';
import { branchOf, deliveryKey, eventOf, isSigned, refusal, runOf, type Delivery } from './delivery.js';
import { nextOccurrence } from './occurrences.js';

const SECRET_BYTES = 32;

/** Schedules and webhooks of a caller's project, and deliveries from anybody who holds a webhook's secret. */
export class TriggersService {
  constructor(
    private readonly triggers: Pick<StateTriggers, 'create' | 'list' | 'get' | 'remove' | 'addFiring'>,
    private readonly now: () => number = Date.now,
  ) {}

  async create(caller: Caller, body: z.output<typeof CreateTrigger>): Promise<TriggerCreated> {
    const secret = body.on.kind === 'webhook' ? randomBytes(SECRET_BYTES).toString('base64url') : null;
    const nextAt = body.on.kind === 'schedule' ? nextOccurrence(body.on, this.now()) : null;
    if (body.on.kind === 'schedule' && nextAt === null)
      throw new DevmeshError('invalid_request', `"${body.on.cron}" never comes again; choose a time that does`);
    const request = {
      ...body,
      id: randomUUID(),
      projectId: caller.projectId,
      createdBy: caller.name,
      secret,
      nextAt,
    };
    const stored = await inside(this.triggers.create(request));
    return { ...view(stored), secret };
  }

  async list(caller: Caller): Promise<TriggerView[]> {
    return (await inside(this.triggers.list(caller.projectId))).map(view);
  }

  async get(caller: Caller, id: string): Promise<TriggerView> {
    return view(await this.own(caller, id));
  }

  async remove(caller: Caller, id: string): Promise<TriggerView> {
    const trigger = await this.own(caller, id);
    await inside(this.triggers.remove(id));
    return view(trigger);
  }

  /**
   * Takes a delivery: what starts a run is on record when this answers. Throws `unauthenticated` for a bad signature, and for a
   * trigger that is not there, so that nobody can tell which.
   */
  async deliver(id: string, delivery: Delivery): Promise<DeliveryReply> {
    const trigger = await inside(this.triggers.get(id)).catch((error: unknown) => {
      if (error instanceof DevmeshError && error.code === 'not_found') return null;
      throw error;
    });
    const { on, secret } = trigger ?? {};
    if (!trigger || on?.kind !== 'webhook' || !secret || !isSigned(delivery, secret))
      throw new DevmeshError(
        'unauthenticated',
        'the delivery is not signed with the secret of this webhook; set the same secret at its sender, with JSON as content type',
      );
    if (!trigger.enabled) return { accepted: false, reason: `trigger ${trigger.name} is switched off` };
    const body = parsed(delivery.body);
    const event = eventOf(delivery);
    const branch = branchOf(body);
    const reason = refusal(on, event, branch);
    if (reason !== null) return { accepted: false, reason };
    const firing = { key: deliveryKey(delivery), run: runOf(trigger.run, event, branch, body) };
    const fresh = await inside(this.triggers.addFiring(id, firing));
    return { accepted: true, reason: fresh ? null : 'this delivery was taken before' };
  }

  private async own(caller: Caller, id: string): Promise<TriggerRecord> {
    const trigger = await inside(this.triggers.get(id));
    if (trigger.projectId !== caller.projectId) throw new DevmeshError('not_found', `there is no trigger ${id}`);
    return trigger;
  }
}

function parsed(body: Buffer): Json {
  try {
    return Json.parse(JSON.parse(body.toString('utf8')));
  } catch (cause) {
    throw new DevmeshError('invalid_request', 'the delivery is not JSON; choose application/json as its content type', {
      cause,
    });
  }
}

function view({ projectId: _project, secret: _secret, ...trigger }: TriggerRecord): TriggerView {
  return { ...trigger, path: trigger.on.kind === 'webhook' ? `/v1/hooks/${trigger.id}` : null };
}
