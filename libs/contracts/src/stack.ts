import { z } from 'zod';

/** Why something was concluded: a file, the line (1-based) where it says so, and what it says. */
export const Evidence = z.object({
  path: z.string().max(4096),
  line: z.number().int().positive().optional(),
  says: z.string().max(300),
});
export type Evidence = z.infer<typeof Evidence>;

const Fact = z.object({ value: z.string().max(300), evidence: z.array(Evidence).min(1).max(10) });

/** One deployable part of a repository. Every value is backed by evidence; what could not be told is absent. */
export const StackComponent = z.object({
  /** Directory relative to the root, "." for the root. */
  root: z.string().max(4096),
  name: z.string().max(214),
  language: z.enum(['javascript', 'typescript', 'python', 'go', 'java', 'other']),
  runtime: Fact.optional(),
  packageManager: Fact.optional(),
  framework: Fact.optional(),
  entryPoint: Fact.optional(),
  port: Fact.optional(),
  buildCommand: Fact.optional(),
  startCommand: Fact.optional(),
  testCommand: Fact.optional(),
  lintCommand: Fact.optional(),
  /** Backing services that the code really uses: postgres, redis, mysql, mongodb, rabbitmq, … */
  services: z.array(Fact).max(20),
});
export type StackComponent = z.infer<typeof StackComponent>;

export const Stack = z.object({
  components: z.array(StackComponent).max(50),
  /** Lines of code by language. */
  languages: z.record(z.string(), z.number().int().nonnegative()),
});
export type Stack = z.infer<typeof Stack>;
