import { z } from 'zod';

/** Where to go on and, for a page of JSON, how much of it and how long to wait for it. */
export const EventsQuery = z.object({
  after: z.coerce.number().int().nonnegative().default(0).describe('Number of the last event that you have.'),
  limit: z.coerce.number().int().min(1).max(1000).default(500).describe('JSON only: most events of a page.'),
  waitMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(30_000)
    .default(0)
    .describe('JSON only: how long to wait for something new when there is nothing yet, ms.'),
});
