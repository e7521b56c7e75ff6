import type { RunEvent } from '@devmesh/contracts/event';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { UnixMs } from '@devmesh/contracts/ids';
import { undoIdOf } from './graph.js';
import { isAborting, isSettled, type RunState, type UndoEntry } from './state.js';

/** What is to be taken back now, in the order of completion: all of it when the run is aborted, else what a rework superseded. */
function due(state: RunState): readonly UndoEntry[] {
  return isAborting(state) ? [...state.undoDue, ...state.undoable] : state.undoDue;
}

/** Whether an undo is under way or to come. */
export function undoesLeft(state: RunState): boolean {
  const current = state.undoing && state.steps[undoIdOf(state.undoing.step)];
  return due(state).length > 0 || (current !== null && current !== undefined && !isSettled(current));
}

/**
 * E21: the next undo, the last one done first, one at a time. None while one is under way, and none for an execution that may
 * still be acting.
 */
export function nextUndo(state: RunState, now: UnixMs): RunEvent[] {
  const current = state.undoing && state.steps[undoIdOf(state.undoing.step)];
  if (current && !isSettled(current)) return [];
  const entry = due(state).at(-1);
  if (!entry) return [];
  const isActing = state.stopping.some(({ key }) => {
    const { step, iteration } = parseExecutionKey(key);
    return step === entry.step && iteration === entry.iteration;
  });
  if (isActing) return [];
  const { step, iteration, input } = entry;
  return [{ type: 'UndoStarted', at: now, step, iteration, undo: undoIdOf(step), input }];
}
