import { DBOS } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import { FOUR, serve, step } from './worker.mjs';

DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: process.env.DATABASE_URL,
  logLevel: 'error',
  runAdminServer: false,
});

async function six(run, ms, shape) {
  const once = (name, wait) => DBOS.runStep(() => step(run, name, wait), { name });
  await once('plan', 0);
  if (shape === 'sequence') for (const name of FOUR) await once(name, ms);
  else await Promise.all(FOUR.map((name) => once(name, ms)));
  await once('summary', 0);
}
const workflow = DBOS.registerWorkflow(six, { name: 'six' });
await DBOS.launch();
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2 });

serve({
  run: async (id, ms, shape) => {
    const handle = await DBOS.startWorkflow(workflow, { workflowID: id })(id, ms, shape);
    await handle.getResult();
  },
  // It takes up what was pending when it is launched.
  recover: async () => undefined,
  unfinished: async () => {
    const { rows } = await pool.query(
      `select count(*) as n from dbos.workflow_status where status not in ('SUCCESS', 'ERROR')`,
    );
    return Number(rows[0].n);
  },
});
