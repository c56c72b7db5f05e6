/** What an observer of the order door is told of an order, from its admission to its end. */
import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import type { GuardEvent, GuardOptions } from '../../src/shutdownGate/options.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { fastTemporaryDirectory } from '../support/temporaryDirectory.js';
import { openCall, switchable } from './support.js';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function observed(send: (id: string) => unknown, options: GuardOptions<[string]> = {}) {
  const clock = new ManualClock();
  const gate = createShutdownGate({ clock });
  const events: GuardEvent[] = [];
  const submit = guardOrderSubmission(send, { gate, ...options, observe: (event) => void events.push(event) });
  return { clock, gate, events, submit };
}

describe('events of an order', () => {
  it('admitted, then settled with what the call answered', async () => {
    const call = openCall<number>();
    const { clock, events, submit } = observed(() => call.promise, { label: (id) => `order ${id}` });
    const outcome = submit('a');
    await clock.advance(30);
    call.resolve(7);
    expect(await outcome).toBe(7);
    expect(events).toEqual([
      { type: 'admitted', entryId: 1, label: 'order a', intent: 'increase' },
      { type: 'settled', entryId: 1, label: 'order a', ageMs: 30, settled: { outcome: 'acknowledged', value: 7 } },
    ]);
  });

  it('S2: after its time is up: unknown, then lateSettled with what it came to', async () => {
    const call = openCall<number>();
    const { clock, events, submit } = observed(() => call.promise, { submissionTimeoutMs: 20 });
    const told = submit('a').then(undefined, (error: unknown) => error);
    await clock.advance(20);
    const error = await told;
    const lost = new Error('lost');
    call.reject(lost);
    await expect((error as { settled: Promise<unknown> }).settled).resolves.toEqual({ outcome: 'unknown', error: lost });
    expect(events.slice(1)).toEqual([
      { type: 'unknown', entryId: 1, label: 'order', ageMs: 20 },
      { type: 'lateSettled', entryId: 1, label: 'order', ageMs: 20, settled: { outcome: 'unknown', error: lost } },
    ]);
  });

  it.each<[string, GuardOptions<[string]>]>([
    ['none is given', {}],
    [
      'it throws',
      {
        label: () => {
          throw new Error('label');
        },
      },
    ],
  ])('S13: the label is "order" where %s', (_what, options) => {
    const { events, submit } = observed(() => 1, options);
    submit.trySubmit('a');
    expect(events[0]).toMatchObject({ type: 'admitted', label: 'order' });
  });

  it('S2: a classifier says which failures surely sent nothing; one that throws or says something else has said nothing', async () => {
    const saying = async (outcomeOf: () => unknown): Promise<unknown> => {
      const options = { outcomeOf } as unknown as GuardOptions<[string]>;
      const { events, submit, gate } = observed(() => Promise.reject(new Error('no')), options);
      await submit('a').catch(() => undefined);
      const [, event] = events;
      return [event?.type === 'settled' && event.settled.outcome, gate.unknownOutcomes()];
    };
    const failing = () => {
      throw new Error('classifier');
    };
    expect(await Promise.all([() => 'refused', () => 'unknown', () => 'acknowledged', () => undefined, failing].map(saying))).toEqual([
      ['refused', 0],
      ['unknown', 1],
      ['unknown', 1],
      ['unknown', 1],
      ['unknown', 1],
    ]);
  });

  it('S1: an order that was refused while its intent was kept ends as refused, and leaves nothing unknown', async () => {
    const directory = fastTemporaryDirectory();
    directories.push(directory);
    const killSwitch = switchable('killSwitch');
    const options = { killSwitch, intentLog: { directory, clientOrderId: (id: string) => id } };
    const sent: string[] = [];
    const { events, submit, gate } = observed((id) => void sent.push(id), options);
    const outcome = submit('a');
    killSwitch.code = 'kill_switch_enabled';
    await expect(outcome).rejects.toMatchObject({ code: 'kill_switch_enabled' });
    expect(events.at(-1)).toMatchObject({ type: 'settled', settled: { outcome: 'refused', error: { code: 'kill_switch_enabled' } } });
    expect([sent, gate.unknownOutcomes()]).toEqual([[], 0]);
  });

  it('S2: a call whose intent was kept ends as it does: lost is unknown, refused by the venue is not', async () => {
    const directory = fastTemporaryDirectory();
    directories.push(directory);
    const outcomeOf = (error: unknown) => (error instanceof RangeError ? 'refused' : 'unknown');
    const options = { outcomeOf, intentLog: { directory, clientOrderId: (id: string) => id } } as const;
    const { submit, gate } = observed(async (id) => {
      throw id === 'a' ? new RangeError('no') : new Error('lost');
    }, options);
    await expect(submit('a')).rejects.toThrow('no');
    expect(gate.unknownOutcomes()).toBe(0);
    await expect(submit('b')).rejects.toThrow('lost');
    expect(gate.unknownOutcomes()).toBe(1);
  });
});
