import { Controller, Get } from '@nestjs/common';
import type { AgentInfo } from '@devmesh/contracts/execution';
import type { ActionId } from '@devmesh/contracts/ids';
import { ServiceIdentity } from '@devmesh/service-kit/identity';
import type { Action } from '../action-context.js';

/** The actions of this agent, by id. */
export class ActionSet extends Map<ActionId, Action> {}

@Controller('v1/agent')
export class AgentController {
  constructor(
    private readonly identity: ServiceIdentity,
    private readonly actions: ActionSet,
  ) {}

  @Get()
  info(): AgentInfo {
    const { name, instance, version, revision, startedAt } = this.identity;
    const actions = [...this.actions.values()].map(({ contract: { id, title, effects, isDefault } }) => ({
      id,
      title,
      effects,
      isDefault,
    }));
    return { agent: name, instance, version, revision, startedAt, actions };
  }
}
