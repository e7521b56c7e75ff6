import { setFlagsFromString } from 'node:v8';

/*
 * Loading modules makes garbage fast, and V8 answers by growing the young generation to 16 MB and more, which an idle process then
 * keeps: 30 MB for each of nine services that do nothing. So it is kept from growing until the service listens. From then on it
 * grows as the work needs it; held back for good, work that allocates much would take twice the CPU.
 */

/** Keeps the young generation at its first size. Called before anything else is loaded. */
export function holdYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Lets it grow again, by V8's own factor. */
export function releaseYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
