import type { AgentName } from '@devmesh/contracts/ids';
import type { Disturbance } from './disturbance.js';
import { processOf, START, type SimMesh } from './mesh.js';

/** Lets it happen; false when there is nothing here that it could happen to. */
export function disturb(mesh: SimMesh, disturbance: Disturbance): boolean {
  switch (disturbance.kind) {
    case 'reorder':
    case 'wait':
      return true;
    case 'crash':
      return crash(mesh, disturbance.of);
    case 'freeze':
      return freeze(mesh, disturbance.of, disturbance.ms);
    case 'agentCrash':
      return crashAgent(mesh, disturbance.agent);
    case 'agentFreeze':
      return away(mesh, disturbance.agent, disturbance.ms, true);
    case 'away':
      return away(mesh, disturbance.agent, disturbance.ms, false);
    case 'loss':
    case 'late':
    case 'echo':
      return spoil(mesh, disturbance);
    case 'stateRestart':
      return restartState(mesh);
    case 'duplicate': {
      const id = mesh.runIds[disturbance.run];
      if (id === undefined) return false;
      mesh.queue.push(id);
      mesh.note(`FAULT a second job for ${id.slice(-2)}`);
      return true;
    }
    case 'emptyQueue':
      if (mesh.queue.length === 0) return false;
      mesh.queue = [];
      mesh.note('FAULT the queue is emptied');
      return true;
    case 'cancel':
      return cancel(mesh, disturbance.run);
    case 'pause':
      return pause(mesh, disturbance.run, disturbance.ms);
  }
}

function crash(mesh: SimMesh, of: number): boolean {
  const orchestrator = mesh.orchestrators[of];
  if (!orchestrator) return false;
  const process = processOf(orchestrator);
  mesh.note(`FAULT ${process} dies`);
  mesh.network.abandon(process);
  orchestrator.incarnation++;
  orchestrator.frozenUntil = 0;
  orchestrator.inTurn.clear();
  mesh.store.recover(orchestrator.name, mesh.now);
  return true;
}

function freeze(mesh: SimMesh, of: number, ms: number): boolean {
  const orchestrator = mesh.orchestrators[of];
  if (!orchestrator || orchestrator.frozenUntil > mesh.now) return false;
  orchestrator.frozenUntil = mesh.now + ms;
  mesh.note(`FAULT ${processOf(orchestrator)} hears nothing until ${orchestrator.frozenUntil - START}`);
  return true;
}

function crashAgent(mesh: SimMesh, name: AgentName): boolean {
  const agent = mesh.agents.get(name);
  if (!agent) return false;
  mesh.note(`FAULT ${agent.instance} dies`);
  mesh.network.abandon(agent.instance);
  mesh.timers.abandon(agent.instance);
  mesh.dead.set(agent.instance, { agent: name, at: mesh.witness.at });
  mesh.startAgent(name);
  return true;
}

/** Nothing reaches the agent for a while, nor comes from it; `frozen`: its process hears nothing either. */
function away(mesh: SimMesh, name: AgentName, ms: number, frozen: boolean): boolean {
  const agent = mesh.agents.get(name);
  if (!agent) return false;
  const until = mesh.now + ms;
  mesh.away.set(name, until);
  if (frozen) mesh.frozen.set(agent.instance, until);
  mesh.note(`FAULT ${frozen ? `${agent.instance} is paused` : `nothing reaches ${name}`} until ${until - START}`);
  return true;
}

function spoil(mesh: SimMesh, disturbance: Extract<Disturbance, { kind: 'loss' | 'late' | 'echo' }>): boolean {
  const call = mesh.network.calls[disturbance.call];
  if (!call) return false;
  const what = `${call.name} by ${call.caller}`;
  switch (disturbance.kind) {
    case 'loss':
      mesh.note(`FAULT the ${call.stage === 'requested' ? 'request' : 'answer'} of ${what} is lost`);
      call.break();
      return true;
    case 'late':
      if (call.stage !== 'requested' || call.caller === 'nobody') return false;
      mesh.note(`FAULT the request ${what} is given up and comes ${disturbance.ms} ms late`);
      call.delay(mesh.now + disturbance.ms);
      return true;
    case 'echo':
      if (call.caller === 'nobody') return false;
      mesh.note(`FAULT the request ${what} comes twice, again after ${disturbance.ms} ms`);
      call.echo(mesh.now + disturbance.ms);
      return true;
  }
}

/** What the state service was about to answer is lost. */
function restartState(mesh: SimMesh): boolean {
  const answered = mesh.network.calls.filter(({ to, stage }) => to === 'state' && stage === 'applied');
  if (answered.length === 0) return false;
  mesh.note(`FAULT the state service restarts; ${answered.map(({ name }) => name).join(', ')} is not answered`);
  for (const call of answered) call.break();
  return true;
}

function cancel(mesh: SimMesh, index: number): boolean {
  const id = mesh.runIds[index];
  if (id === undefined || mesh.cancelled.has(id)) return false;
  const message = { kind: 'cancel', by: 'ann', reason: 'no longer wanted' } as const;
  const posted = mesh.store.post(id, { dedupeKey: 'cancel', message }, mesh.now);
  if (!('accepted' in posted) || !posted.accepted) return false;
  mesh.cancelled.add(id);
  mesh.note(`FAULT ann cancels ${id.slice(-2)}`);
  return true;
}

function pause(mesh: SimMesh, index: number, ms: number): boolean {
  const id = mesh.runIds[index];
  if (id === undefined || mesh.paused.has(id)) return false;
  const message = { kind: 'pause', by: 'ann', reason: 'wait' } as const;
  const posted = mesh.store.post(id, { dedupeKey: `pause ${mesh.now}`, message }, mesh.now);
  if (!('accepted' in posted) || !posted.accepted) return false;
  mesh.paused.add(id);
  mesh.note(`FAULT ann pauses ${id.slice(-2)} for ${ms} ms`);
  void mesh.timers.until('ann', mesh.now + ms).then(() => {
    mesh.paused.delete(id);
    mesh.note(`ann resumes ${id.slice(-2)}`);
    mesh.store.post(id, { dedupeKey: `resume ${mesh.now}`, message: { kind: 'resume', by: 'ann' } }, mesh.now);
  });
  return true;
}
