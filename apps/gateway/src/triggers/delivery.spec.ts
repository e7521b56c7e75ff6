import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { branchOf, deliveryKey, eventOf, isSigned, refusal, runOf } from './delivery.js';

const SECRET = 'a secret of a test';
const body = Buffer.from('{"ref":"refs/heads/main"}');
const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
const webhook = (events: string[] = [], branches: string[] = []) => ({ kind: 'webhook', events, branches }) as const;

describe('a signature', () => {
  it.each<[string, Record<string, string>, boolean]>([
    ['of the body', { 'x-hub-signature-256': signature }, true],
    [
      'of another body',
      { 'x-hub-signature-256': signature.replace(/.$/, (last) => (last === '0' ? '1' : '0')) },
      false,
    ],
    ['of no length', { 'x-hub-signature-256': 'sha256=' }, false],
    ['by another algorithm', { 'x-hub-signature': signature }, false],
    ['that is the secret, as GitLab has it', { 'x-gitlab-token': SECRET }, true],
    ['that is another secret', { 'x-gitlab-token': `${SECRET}x` }, false],
    ['that is missing', {}, false],
    ['wrong beside a right token', { 'x-hub-signature-256': 'sha256=00', 'x-gitlab-token': SECRET }, false],
  ])('%s', (_about, headers, right) => {
    expect(isSigned({ headers, body }, SECRET)).toBe(right);
  });
});

describe('a delivery', () => {
  it('is named by its sender, else by its content', () => {
    expect(deliveryKey({ headers: { 'x-github-delivery': '72d3162e-cc78' }, body })).toBe('72d3162e-cc78');
    const nameless = deliveryKey({ headers: {}, body });
    expect(nameless).toMatch(/^[0-9a-f]{64}$/);
    expect(deliveryKey({ headers: { 'x-github-delivery': '../../x' }, body }), 'a name that is none').toBe(nameless);
    expect(deliveryKey({ headers: {}, body: Buffer.from('{}') })).not.toBe(nameless);
  });

  it('tells its event and its branch, whoever sends it', () => {
    expect(eventOf({ headers: { 'x-gitlab-event': 'Push Hook' }, body })).toBe('Push Hook');
    expect(branchOf({ ref: 'refs/heads/feature/x' })).toBe('feature/x');
    expect(branchOf({ pull_request: { head: { ref: 'topic' } } })).toBe('topic');
    expect(branchOf({ object_attributes: { source_branch: 'mr' } })).toBe('mr');
    expect([branchOf([]), branchOf(null), branchOf({ ref: 7 })]).toEqual([undefined, undefined, undefined]);
  });

  it.each<[string, string[], string[], string, string | undefined, boolean]>([
    ['any', [], [], 'push', undefined, true],
    ['an event of the list', ['pull_request', 'push'], [], 'push', 'main', true],
    ['another event', ['pull_request'], [], 'push', 'main', false],
    ['a branch of the list', [], ['release/*'], 'push', 'release/1.2', true],
    ['a branch that only ends so', [], ['release/*'], 'push', 'x/release/1.2', false],
    ['a branch shorter than both ends of the pattern', [], ['ab*ba'], 'push', 'aba', false],
    ['no branch where one is wanted', [], ['main'], 'push', undefined, false],
    ['a ping', [], [], 'ping', 'main', false],
  ])('of %s starts a run or says why not', (_about, events, branches, event, branch, starts) => {
    const reason = refusal(webhook(events, branches), event, branch);
    if (starts) expect(reason).toBeNull();
    else expect(reason).toMatch(/\S/);
  });

  it('fills in the task and the ref, never the URL, and nothing but texts and numbers', () => {
    const run = {
      task: 'Review ${{ branch }} for ${{event}} #${{ body.number }} ${{ body.deep.list }}${{ body.__proto__.x }}${{ other }}.',
      repository: { url: 'https://example.org/${{ body.url }}', ref: '${{ branch }}' },
    };
    const filled = runOf(run, 'pull_request', 'topic', { number: 12, url: 'evil', deep: { list: ['a'] } });
    expect(filled.task).toBe('Review topic for pull_request #12 .');
    expect(filled.repository).toEqual({ url: 'https://example.org/${{ body.url }}', ref: 'topic' });
  });
});
