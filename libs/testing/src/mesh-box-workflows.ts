/** Workflows of the test agent, as sources. Each has a shape of its own; all end by themselves. */
export const BOX_WORKFLOWS = {
  /** The graph of the engine's budget: one, four in parallel, one. */
  six: `
name: six
finish: false
steps:
  - { id: plan, action: noop/act }
  - { id: a, action: noop/act, needs: plan }
  - { id: b, action: noop/act, needs: plan }
  - { id: c, action: noop/act, needs: plan }
  - { id: d, action: noop/act, needs: plan }
  - { id: summary, action: noop/act, needs: [a, b, c, d] }
`,
  /** Sent back twice, with a sibling that is superseded each time. */
  loop: `
name: loop
finish: false
steps:
  - { id: make, action: noop/act }
  - { id: beside, action: noop/slow, needs: make, with: { ms: 60 } }
  - id: check
    action: noop/judge
    needs: make
    with: { rejections: 2 }
    on_rejection: { action: retry, target: make, max_attempts: 3 }
  - { id: last, action: noop/act, needs: [check, beside] }
`,
  /** Results that outlive the wait of their dispatch, and come to the inbox. */
  slow: `
name: slow
finish: false
steps:
  - { id: first, action: noop/act }
  - { id: long, action: noop/slow, needs: first, with: { ms: 1600 } }
  - { id: beside, action: noop/slow, needs: first, with: { ms: 300 } }
  - { id: last, action: noop/act, needs: [long, beside] }
`,
  /** Attempts that fail, then one that does not. */
  retry: `
name: retry
finish: false
steps:
  - { id: shaky, action: noop/fail, with: { times: 1 }, retry: { initial_delay: 100ms } }
  - { id: last, action: noop/act, needs: shaky }
`,
  /** An effect in the middle. */
  once: `
name: once
finish: false
steps:
  - { id: first, action: noop/act }
  - { id: effect, action: noop/once, needs: first, with: { ms: 50 } }
  - { id: last, action: noop/act, needs: effect }
`,
  /** Ends as failed. */
  failing: `
name: failing
finish: false
steps:
  - { id: first, action: noop/act }
  - { id: broken, action: noop/fail, needs: first, with: { times: 99, retryable: false } }
  - { id: never, action: noop/act, needs: broken }
`,
} as const;
export type BoxWorkflow = keyof typeof BOX_WORKFLOWS;

/** A workflow of one step that takes `ms`, and one behind it. */
export function longStep(ms: number, action: 'slow' | 'once' | 'probed' = 'slow', deaf = false): string {
  return `
name: long
finish: false
steps:
  - { id: long, action: noop/${action}, with: { ms: ${ms}, deaf: ${deaf} } }
  - { id: last, action: noop/act, needs: long }
`;
}
