import { implement, type Action } from '@devmesh/agent-kit/action-context';
import { featureDevPullRequest } from '@devmesh/contracts/actions/feature-dev';
import { DevmeshError } from '@devmesh/contracts/errors';
import { runBranch } from '@devmesh/contracts/run';
import { redactUrl } from '@devmesh/repository/clone';
import type { PullRequest } from '../forge/forge-client.js';
import { effectName, type Remotes } from '../forge/remotes.js';

const CALL_MS = 30_000;
const TITLE_CHARACTERS = 200;

/** Opens the pull request of a run's branch, or brings the open one up to date. */
export function pullRequestAction(remotes: Remotes): Action {
  return implement(featureDevPullRequest, async (context) => {
    const { remote: url, branch, base } = context.input;
    const head = branch ?? runBranch(context.runId);
    const forge = remotes.forge(url);
    const title =
      (context.input.title.split('\n')[0] ?? '').slice(0, TITLE_CHARACTERS) || `Changes of run ${context.runId}`;
    const content = { title, body: `${context.input.body}\n\n<!-- devmesh run ${context.runId} -->`.trim() };
    const isSame = (pull: PullRequest, intent: { title: string; body: string }) =>
      pull.title === intent.title && pull.body === intent.body;
    context.progress(`a pull request for ${head}`);
    const result = await context.effects.perform({
      kind: 'pull_request',
      name: effectName(url, head),
      intent: { remote: redactUrl(url), head, base, ...content },
      actMs: CALL_MS,
      async act(_previous: { number: number; url: string } | null, signal) {
        const { number, url: at } = await openOrUpdate(signal);
        return { number, url: at };
      },
      async probe(intent, _previous, signal) {
        const found = await forge.find(head, signal);
        // An open one with another text is not what was meant: it is brought up to date.
        return found !== null && isSame(found, intent)
          ? { state: 'done', result: { number: found.number, url: found.url } }
          : { state: 'not_done' };
      },
    });
    return { ...result, summary: `pull request #${result.number}: ${result.url}` };

    async function openOrUpdate(signal: AbortSignal): Promise<PullRequest> {
      const found = await forge.find(head, signal);
      if (found !== null) return isSame(found, content) ? found : forge.update(found.number, content, signal);
      try {
        return await forge.open(head, base, content, signal);
      } catch (error) {
        // The forge refuses a second one for a head: then the first is there now.
        const other =
          error instanceof DevmeshError && error.code === 'conflict' ? await forge.find(head, signal) : null;
        if (other === null) throw error;
        return isSame(other, content) ? other : forge.update(other.number, content, signal);
      }
    }
  });
}
