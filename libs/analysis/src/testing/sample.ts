import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FindingClass, Severity } from '@devmesh/contracts/finding';
import { z } from 'zod';

const examples = fileURLToPath(new URL('../../../../examples/', import.meta.url));

/** Folder of the sample repository's tree. */
export const SAMPLE_ROOT = join(examples, 'shop');

const Place = z.object({ path: z.string(), anchor: z.string() });

/** What must come out of the sample; `examples/README.md` explains the members. */
export const SampleExpectation = z.object({
  defects: z.array(
    Place.extend({
      id: z.string(),
      class: FindingClass,
      severity: Severity,
      fix: z.boolean(),
      round: z.number().int().positive().nullable(),
    }),
  ),
  twins: z.array(Place.extend({ of: z.string() })),
  rounds: z.number().int(),
});
export type SampleExpectation = z.infer<typeof SampleExpectation>;

export function readExpectation(): SampleExpectation {
  return SampleExpectation.parse(JSON.parse(readFileSync(join(examples, 'shop.expected.json'), 'utf8')));
}

/** The sample's files by path with "/". */
export function readSample(): Map<string, string> {
  return new Map(
    readdirSync(SAMPLE_ROOT, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file): [string, string] => [relative(SAMPLE_ROOT, file).split(sep).join('/'), readFileSync(file, 'utf8')])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
