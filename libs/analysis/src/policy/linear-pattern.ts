import { RE2JS } from 're2js';
import { z } from 'zod';
import type { TextTest } from '../rules/rule.js';

/** Longest pattern of a project, in characters. */
const MAX_PATTERN = 500;

/** A pattern in RE2's syntax, which takes linear time whatever it is: no look-around, no back-references. */
export const LinearPattern = z
  .string()
  .min(1)
  .max(MAX_PATTERN)
  .transform((source, context): TextTest => {
    try {
      const pattern = RE2JS.compile(source);
      return { test: (text) => pattern.matcher(text).find() };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      context.addIssue({
        code: 'custom',
        message: `it is no pattern of RE2 (${why}): look-around and back-references are not part of it`,
      });
      return z.NEVER;
    }
  });
