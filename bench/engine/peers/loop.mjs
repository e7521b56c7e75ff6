import pg from 'pg';
import { FOUR, serve, step } from './worker.mjs';

// A hand-written loop: a row and a commit per step, and after a crash whatever has no row is done again.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
await pool.query(`create table if not exists loop_runs (id text primary key, ms int not null, shape text not null, done boolean not null default false);
  create table if not exists loop_steps (run text, step text, output json, primary key (run, step))`);

async function durable(run, name, ms, known) {
  if (known.has(name)) return;
  const output = await step(run, name, ms);
  await pool.query({
    name: 'step',
    text: 'insert into loop_steps values ($1, $2, $3) on conflict do nothing',
    values: [run, name, output],
  });
}

async function execute(run, ms, shape, known = new Set()) {
  await durable(run, 'plan', 0, known);
  if (shape === 'sequence') for (const name of FOUR) await durable(run, name, ms, known);
  else await Promise.all(FOUR.map((name) => durable(run, name, ms, known)));
  await durable(run, 'summary', 0, known);
  await pool.query({ name: 'done', text: 'update loop_runs set done = true where id = $1', values: [run] });
}

serve({
  run: async (id, ms, shape) => {
    await pool.query({
      name: 'create',
      text: 'insert into loop_runs (id, ms, shape) values ($1, $2, $3)',
      values: [id, ms, shape],
    });
    await execute(id, ms, shape);
  },
  recover: async () => {
    const { rows } = await pool.query('select id, ms, shape from loop_runs where not done');
    await Promise.all(
      rows.map(async ({ id, ms, shape }) => {
        const steps = await pool.query('select step from loop_steps where run = $1', [id]);
        await execute(id, ms, shape, new Set(steps.rows.map((row) => row.step)));
      }),
    );
  },
  unfinished: async () => Number((await pool.query('select count(*) as n from loop_runs where not done')).rows[0].n),
});
