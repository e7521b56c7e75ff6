import type { Expr, Span } from './ir.js';
import { filled } from './lower-python.js';
import { clear, concat, constant, NUMBER, UNKNOWN, type Value } from './value.js';

const VERB = /%(?:\d+\$)?[-+# 0,(]*[\d*.[\]]*([a-zA-Z])/g;

/** A text by a format as C, Go and Java have it: numbers, quoted and hexadecimal holes can't break out. */
export function formatted(node: Span, format: Value, holes: readonly Value[]): Value {
  if (typeof format.constant !== 'string') return concat([format, ...holes]);
  const verbs = [...format.constant.matchAll(VERB)].map(([, verb = '']) => verb);
  const texts = format.constant
    .replaceAll('%%', '\uE000')
    .split(/%(?:\d+\$)?[-+# 0,(]*[\d*.[\]]*[a-zA-Z]/)
    .map((text) => text.replaceAll('\uE000', '%'));
  const marks = holes.map((_, i): Expr => ({ start: node.start, end: node.end, k: 'const', value: i }));
  return concat(
    filled(node, texts, marks).map((part) => {
      if (part.k !== 'const') return UNKNOWN;
      if (typeof part.value !== 'number') return constant(part.value);
      const hole = holes[part.value] ?? UNKNOWN;
      const verb = verbs[part.value] ?? '';
      if (/^[dbcoxXUeEfFgGtp]$/.test(verb)) return NUMBER;
      return verb === 'q' ? clear(hole, ['log-injection', 'header-injection']) : hole;
    }),
  );
}
