import { join } from 'node:path';
import type { Home } from './home.js';
import type { MeshError } from './protocol.js';

/** Exit code of a supervisor that found another one in charge of its folder. */
export const EXIT_LOCKED = 75;

export type LastError = MeshError;

/** Where a supervisor that could not start says why. */
export const lastErrorFile = (home: Home): string => join(home.run, 'last-error.json');
