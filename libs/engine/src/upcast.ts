import { RunEvent } from '@devmesh/contracts/event';

/**
 * Reads an event as it was stored, however long ago. Each change of an event's shape adds a step here that lifts the shape
 * before it; the stored text is never rewritten.
 */
export function upcast(stored: unknown): RunEvent {
  return RunEvent.parse(stored);
}
