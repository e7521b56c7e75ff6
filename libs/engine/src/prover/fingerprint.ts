import type { ExecutionKey, UnixMs } from '@devmesh/contracts/ids';
import type { RunState, StepState } from '@devmesh/workflow/state';
import { processOf, type SimMesh } from '../simulator/mesh.js';
import type { Call } from '../simulator/network.js';

/** A 53-bit hash of a text (cyrb53): with 10 million states two of them are alike by chance about once in 200 explorations. */
export function hashOf(text: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}

/** How far off a time is, coarsely: two states that differ in milliseconds alone are one. */
export function distance(time: UnixMs | null, now: UnixMs): string {
  if (time === null) return '-';
  const ms = time - now;
  if (ms <= 0) return '0';
  if (ms <= 1_000) return '1';
  if (ms <= 5_000) return '5';
  return ms <= 20_000 ? '20' : 'x';
}

function stepText(id: string, step: StepState): string {
  const { outcome, phase, iteration, attempt, taken, rework } = step;
  const said = outcome === null ? '' : `${outcome.kind}${outcome.kind === 'succeeded' ? (outcome.verdict ?? '') : ''}`;
  return `${id}:${phase}${iteration}.${attempt}${said}${taken.length}${rework ? 'r' : ''}`;
}

const texts = new WeakMap<RunState, string>();

/** A folded state without times and instances; told once for each state. */
function stateText(state: RunState): string {
  const known = texts.get(state);
  if (known !== undefined) return known;
  const steps = Object.entries(state.steps).map(([id, step]) => stepText(id, step));
  const { rounds, stopping, cancel, paused, timedOut, undoable, undoDue, undoing, failedBy, ended } = state;
  const rest = [
    Object.entries(rounds).map(([loop, round]) => `${loop}${round}`),
    stopping.map(({ key }) => key.slice(37)),
    undoable.length,
    undoDue.length,
    undoing ? `${undoing.step}${undoing.iteration}` : '',
    failedBy ?? '',
    ended?.verdict ?? '',
  ];
  const flags = `${cancel ? 'c' : ''}${paused ? 'p' : ''}${timedOut ? 't' : ''}`;
  const text = `${steps.join()}|${rest.join()}|${flags}`;
  texts.set(state, text);
  return text;
}

/** Names without what only counts up: the epoch of an append is told from the run's, a process by whether it lives. */
function callText(call: Call, mesh: SimMesh, processes: ReadonlyMap<string, string>): string {
  const [verb = '', number] = call.name.split(' ');
  const epochs = mesh.runIds.map((id) => mesh.store.look(id)?.epoch ?? 0);
  const name = verb === 'append' ? `append-${Math.max(...epochs) - Number(number)}` : call.name;
  const caller = processes.get(call.caller) ?? (call.caller === 'nobody' ? '!' : call.caller === 'ann' ? 'ann' : '+');
  return `${caller}${name}${call.stage === 'applied' ? '<' : '>'}${call.arrivesAt > mesh.now ? '~' : ''}`;
}

function agentsText(mesh: SimMesh): string {
  const parts: string[] = [];
  for (const [name, agent] of mesh.agents) {
    const state = `${mesh.isAway(name) ? 'a' : ''}${mesh.isFrozen(agent.instance) ? 'f' : ''}`;
    const executions: string[] = [];
    for (const [key, { doneAt, accepted, posted, stopped }] of agent.executions)
      executions.push(
        `${short(key)}${doneAt !== null && doneAt <= mesh.now ? 'd' : ''}${accepted ? 'a' : ''}${posted ? 'p' : ''}${stopped ? 's' : ''}`,
      );
    if (state !== '' || executions.length > 0) parts.push(`${name}${state}(${executions.join()})`);
  }
  return parts.join();
}

function short(key: ExecutionKey): string {
  return key.slice(35);
}

/**
 * The canonical hash of a mesh: the folded states, the heads of the store, what is in flight, what agents hold, what turns have heard. Times
 * count coarsely, and what only counts up (epochs, incarnations) does not count.
 */
export function fingerprint(mesh: SimMesh): number {
  const processes = new Map(mesh.orchestrators.map((each, index) => [processOf(each), `o${index}`]));
  const runs = mesh.runIds.map((id) => {
    const state = mesh.witness.stateOf(id);
    const row = mesh.store.look(id);
    if (!state || !row) return '';
    const placed = Object.values(state.steps).map(({ phase, instance }) =>
      phase === 'running' ? (instance === null ? '0' : mesh.dead.has(instance) ? 'x' : '.') : '',
    );
    const head = `${row.status}${row.inTurn ? 'T' : ''}${distance(row.wakeAt, mesh.now)}u${row.unread}f${row.turnFailures}`;
    return `${stateText(state)}/${placed.join('')}/${head}`;
  });
  const orchestrators = mesh.orchestrators.map((each) => {
    const process = processOf(each);
    const frozen = each.frozenUntil > mesh.now ? 'f' : '';
    return `${each.inTurn.size}${frozen}${mesh.memories.get(process) ?? ''}`.replaceAll(/append \d+/g, 'append');
  });
  const calls = mesh.network.calls.map((call) => callText(call, mesh, processes));
  const ledger = `${mesh.store.ledger.text()}${mesh.remote.acts.length}`;
  return hashOf(
    `${runs.join('&')}#${orchestrators.join()}#${calls.join()}#${agentsText(mesh)}#${mesh.queue.length}.${mesh.fresh.length}#${ledger}`,
  );
}
