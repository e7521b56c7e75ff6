import type { FindingClass } from '@devmesh/contracts/finding';
import type { Origin } from '../value.js';

export interface Source {
  readonly origin: Origin;
  /** Whether it can only be text, and no object. */
  readonly text?: boolean;
  /** What it is, in a few words: "the query of a request". */
  readonly note: string;
}

/** What a parameter of a function is that nobody in the project calls. */
export type ParameterMeaning = { readonly ref: string } | { readonly source: Source } | undefined;

/** What a language and its frameworks mean: data, with lookups. Names are full names (`child_process.exec`, `REQ.query`). */
export interface Model {
  /** A value that somebody else chooses, by its full name. */
  source(ref: string): Source | undefined;
  /** A call whose result somebody else chooses. */
  sourceCall(ref: string): Source | undefined;
  /** For which classes the result of a call is harmless, whatever went in. */
  cleanses(ref: string, method: string): readonly FindingClass[] | 'all' | undefined;
  /** Whether what goes in comes out again in some form. */
  passes(ref: string, method: string): boolean;
}

/** A table by full names; `*.name` is a method of anything, `REQ.*` any member. */
export class NameTable<T> {
  readonly #exact = new Map<string, T>();
  readonly #method = new Map<string, T>();

  constructor(rows: Iterable<readonly [names: string, value: T]>) {
    for (const [names, value] of rows) {
      for (const name of names.split(/\s+/)) {
        if (name.startsWith('*.')) this.#method.set(name.slice(2), value);
        else if (name !== '') this.#exact.set(name, value);
      }
    }
  }

  get(ref: string): T | undefined {
    const exact = this.#exact.get(ref.startsWith('?') ? ref.slice(1) : ref);
    if (exact !== undefined) return exact;
    const dot = ref.lastIndexOf('.');
    if (dot < 0) return undefined;
    return this.#method.get(ref.slice(dot + 1)) ?? this.#exact.get(`${ref.slice(0, dot)}.*`);
  }
}
