import type { Node } from '../parse/syntax.js';
import type { Bindings } from './bindings.js';
import { callView, type CallView } from './calls.js';

/** What conditions look at: a node, the call that it is (if it is one), and what names mean in its file. */
export class Candidate {
  #call: CallView | undefined | null = null;
  #name: string | undefined;
  #member: string | null | undefined;

  /** `names` makes the bindings of the file the first time that somebody asks for them. */
  constructor(
    readonly node: Node,
    readonly names: () => Bindings,
  ) {}

  get bindings(): Bindings {
    return this.names();
  }

  get call(): CallView | undefined {
    if (this.#call === null) this.#call = callView(this.node);
    return this.#call;
  }

  /**
   * Whether what is called is one of these. Most calls are of nothing that a rule knows: the last word of the callee, as it
   * is written, says so without asking what names mean.
   */
  isCallOf(wanted: readonly string[]): boolean {
    const member = this.#calledMember();
    if (member !== null && !wanted.some((one) => one.endsWith(`.${member}`))) return false;
    if (member !== null && wanted.includes(`*.${member}`)) return this.call !== undefined;
    this.#name ??= this.call ? this.bindings.nameOf(this.call.callee) : '';
    return this.#name !== '' && calleeIs(this.#name, wanted);
  }

  /** `load` of `x.load(…)`; null of a call that is not of a member. */
  #calledMember(): string | null {
    if (this.#member === undefined) {
      const callee = this.node.field('function') ?? this.node.field('constructor');
      this.#member = (callee?.field('property') ?? callee?.field('attribute'))?.text() ?? null;
    }
    return this.#member;
  }
}

/** `*.run` is a method of anything; a plain name is itself. */
export function calleeIs(name: string, wanted: readonly string[]): boolean {
  return wanted.some((one) => (one.startsWith('*.') ? name.endsWith(one.slice(1)) : name === one));
}
