import { Annotation, END, START, StateGraph } from '@langchain/langgraph';
import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres';
import pg from 'pg';
import { FOUR, serve, step } from './worker.mjs';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
const checkpointer = new PostgresSaver(pool);
await checkpointer.setup();
// Which threads there are is ours to know: it takes up none by itself.
await pool.query(
  'create table if not exists langgraph_runs (id text primary key, shape text not null, done boolean not null default false)',
);

const State = Annotation.Root({
  run: Annotation(),
  ms: Annotation(),
  outputs: Annotation({ reducer: (all, more) => ({ ...all, ...more }), default: () => ({}) }),
});
const node = (name, waits) => async (state) => ({
  outputs: { [name]: await step(state.run, name, waits ? state.ms : 0) },
});

function graph(shape) {
  const built = new StateGraph(State).addNode('plan', node('plan', false)).addNode('summary', node('summary', false));
  for (const name of FOUR) built.addNode(name, node(name, true));
  built.addEdge(START, 'plan').addEdge('summary', END);
  if (shape === 'sequence') {
    const row = ['plan', ...FOUR, 'summary'];
    for (let i = 1; i < row.length; i++) built.addEdge(row[i - 1], row[i]);
  } else {
    for (const name of FOUR) built.addEdge('plan', name);
    built.addEdge(FOUR, 'summary');
  }
  return built.compile({ checkpointer });
}
const graphs = { six: graph('six'), sequence: graph('sequence') };

async function invoke(id, shape, input) {
  // `sync`: a checkpoint is written before the next steps start.
  await graphs[shape].invoke(input, { configurable: { thread_id: id }, durability: 'sync' });
  await pool.query({ name: 'done', text: 'update langgraph_runs set done = true where id = $1', values: [id] });
}

serve({
  run: async (id, ms, shape) => {
    await pool.query({
      name: 'create',
      text: 'insert into langgraph_runs (id, shape) values ($1, $2)',
      values: [id, shape],
    });
    await invoke(id, shape, { run: id, ms });
  },
  recover: async () => {
    const { rows } = await pool.query('select id, shape from langgraph_runs where not done');
    await Promise.all(
      rows.map(async ({ id, shape }) => {
        const known = await graphs[shape].getState({ configurable: { thread_id: id } });
        await invoke(id, shape, known.values?.run === undefined ? { run: id, ms: 0 } : null);
      }),
    );
  },
  unfinished: async () =>
    Number((await pool.query('select count(*) as n from langgraph_runs where not done')).rows[0].n),
});
