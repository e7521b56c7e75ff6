import { SamplingDecision, type Sampler, type SamplingResult } from '@opentelemetry/sdk-trace-base';
import type { Attributes, Context, SpanKind } from '@opentelemetry/api';
import { ENGINE_ATTRIBUTE } from './engine-context.js';

const KEEP: SamplingResult = { decision: SamplingDecision.RECORD_AND_SAMPLED };
const DROP: SamplingResult = { decision: SamplingDecision.NOT_RECORD };
const RANDOM_BITS = 52;

/**
 * Keeps every engine span, and all other spans of the traces whose id falls into `ratio` (0 to 1). The parent isn't asked: below
 * an engine span, which is always kept, every call would be kept as well. Every service must use the same ratio, so that
 * all come to the same answer for a trace.
 */
export class EngineSampler implements Sampler {
  readonly #bound: number;

  constructor(ratio: number) {
    this.#bound = ratio * 2 ** RANDOM_BITS;
  }

  shouldSample(
    _context: Context,
    traceId: string,
    _name: string,
    _kind: SpanKind,
    attributes: Attributes,
  ): SamplingResult {
    if (attributes[ENGINE_ATTRIBUTE] === true) return KEEP;
    // The last 13 hex digits: random in W3C trace ids, and in the UUIDv7 that the trace id of a run is.
    return Number.parseInt(traceId.slice(-RANDOM_BITS / 4), 16) < this.#bound ? KEEP : DROP;
  }

  toString(): string {
    return `EngineSampler{${this.#bound / 2 ** RANDOM_BITS}}`;
  }
}
