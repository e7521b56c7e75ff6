import { z } from 'zod';
import { CommitId } from '@devmesh/contracts/ids';

/** What became of paths, and what was committed since the last release; newest first. */
export const HistoryDocument = z.object({
  version: z.literal(1),
  /** Paths that are gone: `now` is where git saw the file go. */
  gone: z
    .array(
      z.object({
        path: z.string().max(4096),
        now: z.string().max(4096).optional(),
        commit: CommitId,
        subject: z.string().max(200),
      }),
    )
    .max(20_000),
});
export type HistoryDocument = z.infer<typeof HistoryDocument>;

/** Looks up paths of the past. */
export class TreeHistory {
  readonly #gone: ReadonlyMap<string, HistoryDocument['gone'][number]>;

  constructor(document: HistoryDocument) {
    this.#gone = new Map(document.gone.toReversed().map((one) => [one.path, one]));
  }

  /** Follows renames from `path` on; undefined when it never was there. */
  whereabouts(path: string): { now: string | undefined; because: string } | undefined {
    const first = this.#gone.get(path);
    if (!first) return undefined;
    let last = first;
    for (let i = 0; i < 20 && last.now !== undefined; i += 1) {
      const next = this.#gone.get(last.now);
      if (!next) break;
      last = next;
    }
    const commit = first.commit.slice(0, 10);
    return last.now === undefined
      ? { now: undefined, because: `; it was removed in ${commit} ("${first.subject.slice(0, 80)}")` }
      : { now: last.now, because: `; it became ${last.now} in ${commit} ("${first.subject.slice(0, 80)}")` };
  }
}
