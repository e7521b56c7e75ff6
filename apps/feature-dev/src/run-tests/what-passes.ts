/** Parts of a change that pass together, and those that are left out. */
export interface Sifted<T> {
  readonly kept: readonly T[];
  readonly rejected: readonly T[];
}

/**
 * Of parts that fail together those that pass, found by halves: for one bad part among n about 2 log2(n) questions. Once `mayAsk` says
 * no, what is not known to pass is rejected.
 */
export async function whatPasses<T>(
  all: readonly T[],
  passes: (some: readonly T[]) => Promise<boolean>,
  mayAsk: () => boolean,
): Promise<Sifted<T>> {
  const rejected: T[] = [];
  /** `kept` passes, and fails with all of `doubtful`. Gives what passes of both. */
  const sift = async (kept: readonly T[], doubtful: readonly T[]): Promise<readonly T[]> => {
    if (doubtful.length <= 1) {
      rejected.push(...doubtful);
      return kept;
    }
    const middle = Math.ceil(doubtful.length / 2);
    const [first, second] = [doubtful.slice(0, middle), doubtful.slice(middle)];
    if (!mayAsk()) {
      rejected.push(...doubtful);
      return kept;
    }
    // What passes without the second half is failed by it: that need not be asked.
    if (await passes([...kept, ...first])) return sift([...kept, ...first], second);
    const better = await sift(kept, first);
    if (!mayAsk()) {
      rejected.push(...second);
      return better;
    }
    return (await passes([...better, ...second])) ? [...better, ...second] : sift(better, second);
  };
  const kept = await sift([], all);
  return { kept, rejected };
}
