import type { ActionContract } from '@devmesh/contracts/action';
import { defineAction } from '@devmesh/contracts/action';
import { catalogueOf } from '@devmesh/contracts/catalogue';
import { z } from 'zod';

function action(id: string, over: Partial<ActionContract> = {}): ActionContract {
  return defineAction({
    id,
    title: id,
    timeoutMs: 60_000,
    input: z.looseObject({}),
    output: z.looseObject({}),
    ...over,
  });
}

/** Agents that have every habit that the engine knows: without effects, judging, acting once and asking in three ways. */
export const PROOF_CATALOGUE = catalogueOf([
  action('planner/plan', { isDefault: true }),
  action('worker/do', { isDefault: true }),
  action('worker/scan'),
  action('judge/review', { isDefault: true, givesVerdict: true }),
  action('git/push', { isDefault: true, effects: 'ledger' }),
  action('git/revert', { effects: 'once', onLost: 'probe' }),
  action('shop/order', { isDefault: true, effects: 'once', onLost: 'ask' }),
  action('shop/notify', { effects: 'once', onLost: 'fail' }),
]);

/** Three workflows that have, between them, everything that a workflow may have: loops, approvals, fan-out and effects. */
export const PROVED_WORKFLOWS: Readonly<Record<string, string>> = {
  release: `
name: release
max_parallel_agents: 3
steps:
  - { id: plan, action: planner/plan }
  - { id: scan, action: worker/scan, for_each: { items: "\${{ steps.plan.output.parts }}", max_parallel: 2 }, needs: plan }
  - { id: build, action: worker/do, needs: scan, on_failure: { action: retry, target: plan, max_attempts: 1 } }
  - { id: review, action: judge/review, needs: build, on_rejection: { action: retry, target: build, max_attempts: 2 } }
  - { id: consent, approval: { title: "Push?", of: push, deadline: 2m, remind_after: 30s, escalate_after: 60s, escalate_to: [bob] }, needs: review }
  - { id: push, action: git/push, needs: consent, undo: { action: git/revert, with: { what: "\${{ output }}" } } }
  - { id: tell, action: shop/notify, needs: push, always: true }
`,
  purchase: `
name: purchase
timeout: 100s
allow_partial_completion: true
steps:
  - { id: offer, action: planner/plan }
  - { id: order, action: shop/order, needs: offer, undo: { action: git/revert }, on_failure: { action: retry, target: offer, max_attempts: 1 } }
  - { id: legal, approval: { title: "Legal", deadline: 1m, on_expiry: reject }, needs: offer, on_rejection: { action: retry, target: offer, max_attempts: 1 } }
  - { id: money, approval: { title: "Money", deadline: 2m, on_expiry: fail }, needs: offer, on_failure: log_and_notify }
  - { id: quick, action: worker/do, needs: [legal, money], join: any, losers: cancel }
  - { id: pay, action: git/push, needs: [order, quick], on_failure: fail }
  - { id: check, action: worker/do, needs: offer, on_failure: fail }
  - { id: ship, action: worker/do, needs: pay, when: "steps.quick.output.weight > 3 && steps.offer.output.kind == 'goods'" }
`,
  mend: `
name: mend
steps:
  - { id: find, action: worker/scan, retry: { max_attempts: 2, initial_delay: 200ms }, fallback: { output: { places: [attic] } } }
  - { id: fix, action: worker/do, for_each: "\${{ steps.find.output.places }}", needs: find, undo: { action: git/revert } }
  - { id: ask, approval: { title: "Good?", deadline: 90s, remind_after: 20s, on_expiry: reject }, needs: find, on_rejection: { action: retry, target: find, max_attempts: 1 } }
  - { id: check, action: judge/review, needs: fix, on_rejection: { action: retry, target: fix, max_attempts: 2 } }
  - { id: left, action: worker/do, needs: check, priority: 5, on_failure: { action: retry, target: check, max_attempts: 1 } }
  - { id: right, action: worker/do, needs: [check, ask], on_success: save, on_failure: [mourn, log_and_notify] }
  - { id: hurry, approval: { title: "Hurry?", deadline: 1s, on_expiry: reject }, on_rejection: log_and_notify }
  - { id: save, action: git/push, needs: left }
  - { id: mourn, action: worker/do }
  - { id: close, action: shop/notify, needs: [left, save, mourn], join: quorum 2, with: { said: "\${{ run.summary }}" } }
`,
};
