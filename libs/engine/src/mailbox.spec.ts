import { describe, expect, it } from 'vitest';
import { Mailbox } from './mailbox.js';

const row = (id: string) => ({ id, dedupeKey: id, message: { kind: 'wake' } as const });

describe('the mailbox', () => {
  it('keeps the order in which things came, and gives them once', () => {
    const mailbox = new Mailbox();
    mailbox.put({ kind: 'stopped', key: 'k' });
    mailbox.putRows([row('1'), row('2')]);
    expect(mailbox.drain()).toEqual({
      inputs: [{ kind: 'stopped', key: 'k' }, { kind: 'wake' }, { kind: 'wake' }],
      rows: ['1', '2'],
    });
    expect(mailbox.drain()).toEqual({ inputs: [], rows: [] });
    expect(mailbox.isEmpty).toBe(true);
  });

  it('takes a row once, however often it is answered', () => {
    const mailbox = new Mailbox();
    mailbox.putRows([row('1')]);
    mailbox.drain();
    mailbox.putRows([row('1'), row('2')]);
    expect(mailbox.drain().rows).toEqual(['2']);
  });

  it('wakes whoever waits, and does not let wait who has something', async () => {
    const mailbox = new Mailbox();
    const arrival = mailbox.arrival();
    mailbox.put({ kind: 'wake' });
    await arrival;
    await mailbox.arrival();
    expect(mailbox.isEmpty).toBe(false);
  });

  it('passes a failure on, whether somebody waits already or not', async () => {
    const mailbox = new Mailbox();
    const arrival = mailbox.arrival();
    mailbox.fail(new Error('broken'));
    await expect(arrival).rejects.toThrow('broken');
    await expect(mailbox.arrival()).rejects.toThrow('broken');
  });
});
