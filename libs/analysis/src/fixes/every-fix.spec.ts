import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reviewText } from '../findings/review-tree.js';
import { SAMPLE_PATHS } from '../findings/run-rules.js';
import { RULES } from '../rules/catalogue.js';
import { applyFixes, type FixRound } from './apply-fixes.js';

const rules = RULES.filter(({ fix }) => fix);
const examples = rules.flatMap((rule) =>
  rule.examples.bad.map((example) => {
    const { code, language = rule.languages[0] ?? 'text' } = typeof example === 'string' ? { code: example } : example;
    return { rule: rule.id, path: SAMPLE_PATHS[language], code };
  }),
);

/** The same program as somebody else lays it out: what a fix does not touch must come through byte for byte. */
const LAYOUTS: Readonly<Record<string, (code: string, comment: string) => string>> = {
  'as it is': (code) => code,
  'with the line ends of Windows': (code) => code.replaceAll('\n', '\r\n'),
  'behind a comment': (code, comment) => `${comment} 😀 ü\n\n${code}`,
  'without its last line end': (code) => code.replace(/\n+$/, ''),
};

describe('the fixes of rules', () => {
  let root: string;
  const fixable: typeof examples = [];
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'every-fix-'));
    for (const example of examples) {
      const { findings } = await reviewText(example.path, example.code);
      if (findings.some(({ fix }) => fix)) fixable.push(example);
    }
  }, 60_000);
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  async function fixAll(path: string, code: string, only?: string): Promise<{ round: FixRound; after: string }> {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), code);
    const { findings } = await reviewText(path, code);
    const round = await applyFixes(root, only === undefined ? findings : findings.filter(({ rule }) => rule === only));
    return { round, after: readFileSync(join(root, path), 'utf8') };
  }

  it(
    'are there for more than twenty rules, each of which mends an example of its own',
    { timeout: 60_000 },
    async () => {
      const mended = new Set<string>();
      for (const { rule, path, code } of fixable) {
        const { round } = await fixAll(path, code, rule);
        if (round.fixed.length > 0) mended.add(rule);
      }
      expect([...mended].sort()).toEqual(rules.map(({ id }) => id).sort());
      expect(mended.size).toBeGreaterThan(20);
    },
  );

  it.each(Object.entries(LAYOUTS))(
    'are proved, change only what they say, and end: %s',
    { timeout: 60_000 },
    async (_, layout) => {
      for (const { path, code } of fixable) {
        const before = layout(code, /\.[jt]sx?$/.test(path) ? '//' : '#');
        const { findings } = await reviewText(path, before);
        const { round, after } = await fixAll(path, before);
        const offered = findings.filter(({ fix }) => fix);
        expect(round.fixed.length + round.deferred.length + round.dropped.length).toBe(offered.length);
        // What is left of the old text is in the new one, in its order.
        expect(isWoven(untouched(before, round), after), `${before} became ${after}`).toBe(true);
        const left = (await reviewText(path, after)).findings;
        expect(left.length).toBeLessThanOrEqual(findings.length - round.fixed.length);
        let text = after;
        for (let rounds = 0; ; rounds += 1) {
          const next = await fixAll(path, text);
          if (next.round.fixed.length === 0) break;
          text = next.after;
          expect(rounds).toBeLessThan(10);
        }
      }
    },
  );
});

/** The pieces of a text between the edits of what was fixed. */
function untouched(text: string, { fixed }: FixRound): string[] {
  const bytes = Buffer.from(text);
  const edits = fixed.flatMap(({ fix }) => fix?.edits ?? []).sort((a, b) => a.start - b.start);
  const pieces: string[] = [];
  let at = 0;
  for (const { start, end } of edits) {
    pieces.push(bytes.subarray(at, start).toString());
    at = end;
  }
  return [...pieces, bytes.subarray(at).toString()];
}

function isWoven(pieces: readonly string[], text: string): boolean {
  let at = 0;
  return pieces.every((piece) => {
    const found = text.indexOf(piece, at);
    at = found + piece.length;
    return found >= 0;
  });
}
