import { readFileSync } from 'node:fs';
import { defineAction } from '@devmesh/contracts/action';
import { ACTION_CATALOGUE, catalogueOf, type ActionCatalogue } from '@devmesh/contracts/catalogue';
import { parseOrThrow } from '@devmesh/contracts/errors';
import { ActionId, AgentName } from '@devmesh/contracts/ids';
import { SERVICES } from '@devmesh/contracts/services';
import { parse } from 'yaml';
import { z } from 'zod';

const PlacedAction = z.strictObject({
  id: ActionId,
  title: z.string().max(200).default(''),
  effects: z.enum(['none', 'once']).default('none'),
  default: z.boolean().default(false),
  gives_verdict: z.boolean().default(false),
  timeout_ms: z
    .number()
    .int()
    .min(1)
    .default(10 * 60_000),
  /** Input members that a step leaves out, as references. */
  defaults: z.record(z.string(), z.string()).default({}),
});

/** Agents that live elsewhere: any base URL that speaks the contract of `contracts/execution`. */
const Placement = z.strictObject({
  agents: z
    .array(
      z.strictObject({
        name: AgentName,
        addresses: z.array(z.url({ protocol: /^https?$/ })).min(1),
        actions: z.array(PlacedAction).min(1),
      }),
    )
    .default([]),
});

export interface PlacedAgents {
  readonly catalogue: ActionCatalogue;
  readonly addresses: ReadonlyMap<string, readonly string[]>;
}

/** The shipped actions and those of the agents that the placement file names. Throws for a file that can't be used. */
export function readPlacement(file: string | undefined): PlacedAgents {
  if (file === undefined) return { catalogue: ACTION_CATALOGUE, addresses: new Map() };
  const placement = parseOrThrow(Placement, parse(readFileSync(file, 'utf8')) ?? {}, `the placement file ${file}`);
  const addresses = new Map<string, readonly string[]>();
  const actions = placement.agents.flatMap((agent) => {
    if (agent.name in SERVICES)
      throw new Error(
        `the placement file ${file} places ${agent.name}, which is a shipped service: set DEVMESH_ENDPOINTS for it`,
      );
    addresses.set(
      agent.name,
      agent.addresses.map((address) => address.replace(/\/+$/, '')),
    );
    const stray = agent.actions.find((action) => !action.id.startsWith(`${agent.name}/`));
    if (stray)
      throw new Error(
        `the placement file ${file} gives agent ${agent.name} the action ${stray.id}: its id must start with ${agent.name}/`,
      );
    return agent.actions.map((action) =>
      defineAction({
        id: action.id,
        title: action.title,
        effects: action.effects,
        isDefault: action.default,
        givesVerdict: action.gives_verdict,
        timeoutMs: action.timeout_ms,
        defaults: action.defaults,
        // The agent checks its own input and output.
        input: z.looseObject({}),
        output: z.looseObject({}),
      }),
    );
  });
  return { catalogue: catalogueOf([...ACTION_CATALOGUE.values(), ...actions]), addresses };
}
