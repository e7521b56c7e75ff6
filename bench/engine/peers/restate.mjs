import * as restate from '@restatedev/restate-sdk';
import { FOUR, step } from './worker.mjs';

// The service behind a Restate server, which keeps the log and calls it.
const six = restate.service({
  name: 'six',
  handlers: {
    run: async (context, { id, ms, shape }) => {
      const once = (name, wait) => context.run(name, () => step(id, name, wait));
      await once('plan', 0);
      if (shape === 'sequence') for (const name of FOUR) await once(name, ms);
      else await restate.RestatePromise.all(FOUR.map((name) => once(name, ms)));
      await once('summary', 0);
      return 'done';
    },
  },
});
await restate.serve({ services: [six], port: Number(process.env.PORT) });
