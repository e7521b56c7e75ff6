import { implement, type Action } from '@devmesh/agent-kit/action-context';
import { featureDevPush } from '@devmesh/contracts/actions/feature-dev';
import { DevmeshError } from '@devmesh/contracts/errors';
import { runBranch } from '@devmesh/contracts/run';
import { redactUrl } from '@devmesh/repository/clone';
import { pushBranch, remoteBranch } from '@devmesh/repository/push';
import { effectName, type Remotes } from '../forge/remotes.js';

const PUSH_MS = 90_000;

/** Pushes the result: the branch's name is the run's, and the remote refuses a push that finds something else than it expects. */
export function pushAction(remotes: Remotes): Action {
  return implement(featureDevPush, async (context) => {
    const { repository, branch: wanted } = context.input;
    const branch = wanted ?? runBranch(context.runId);
    const remote = remotes.remote(context.input.remote);
    const shown = redactUrl(remote.url);
    const { gitDir } = await context.scratch(repository);
    const { commit } = repository;
    const look = (signal: AbortSignal) => remoteBranch(remote, { gitDir, branch, timeoutMs: PUSH_MS, signal });
    context.progress(`pushing ${branch} to ${shown}`);
    const result = await context.effects.perform({
      kind: 'push',
      name: effectName(remote.url, branch),
      intent: { remote: shown, branch, commit },
      actMs: PUSH_MS,
      async act(previous: { commit: string } | null, signal) {
        try {
          const expected = previous?.commit ?? null;
          await pushBranch(remote, { gitDir, commit, branch, expected, timeoutMs: PUSH_MS, signal });
        } catch (error) {
          // What it finds there may be this very commit.
          if (!(error instanceof DevmeshError) || error.code !== 'conflict' || (await look(signal)) !== commit)
            throw error;
        }
        return { commit };
      },
      async probe(intent, _previous, signal) {
        return (await look(signal)) === intent.commit
          ? { state: 'done', result: { commit: intent.commit } }
          : { state: 'not_done' };
      },
    });
    return {
      remote: shown,
      branch,
      commit: result.commit,
      summary: `${branch} is at ${commit.slice(0, 10)} of ${shown}`,
    };
  });
}
