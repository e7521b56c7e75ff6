import type { SeededMutant } from './seeded-mutant.js';
import { CORE_MUTANTS } from './seeded-core-mutants.js';
import { SHELL_MUTANTS } from './seeded-shell-mutants.js';
import { STORE_MUTANTS } from './seeded-store-mutants.js';

/** Broken by hand, each in a way in which an engine like this one has been broken: core, shell, and what they stand on. */
export const SEEDED_MUTANTS: readonly SeededMutant[] = [...CORE_MUTANTS, ...SHELL_MUTANTS, ...STORE_MUTANTS];
