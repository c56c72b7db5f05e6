import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { sharedGateMemory } from '../../src/shutdownGate/sharedGate.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { settled } from './support.js';

function openGate() {
  const clock = new ManualClock();
  return { clock, gate: createShutdownGate({ clock }) };
}

function enter(gate: ReturnType<typeof createShutdownGate>, label: string) {
  const permit = gate.tryEnter(label);
  if (!permit.ok) throw new Error('the gate is shut');
  return permit;
}

describe('shutdown gate', () => {
  it('S1: once requestShutdown has returned nothing enters, and the first reason stays', () => {
    const { clock, gate } = openGate();
    expect(gate.tryEnter('a').ok).toBe(true);
    const sinceWallMs = clock.wallMs();
    gate.requestShutdown('SIGTERM');
    clock.stepWall(3_600_000);
    gate.requestShutdown('later');
    const refusal = { code: 'shutdown_requested', source: 'shutdown_gate', reason: 'SIGTERM', sinceWallMs };
    expect(gate.tryEnter('b')).toEqual({ ok: false, ...refusal });
    for (const intent of ['increase', 'reduce', 'cancel'] as const) expect(gate.check(clock.monotonicMs(), intent)).toEqual(refusal);
    expect([gate.requested, gate.reason, gate.inflight()]).toEqual([true, 'SIGTERM', 1]);
  });

  it('S1: the flag is set before a listener of the signal or a logger hears of it', () => {
    const seen: boolean[] = [];
    const say = (): void => void seen.push(gate.tryEnter('late').ok);
    const gate = createShutdownGate({ logger: { debug: say, info: say, warn: say, error: say } });
    gate.signal.addEventListener('abort', say);
    gate.requestShutdown('now');
    expect(seen).toEqual([false, false]);
    expect(gate.signal.aborted).toBe(true);
  });

  it('S2: tells once of its shutdown and of each unknown outcome, and aborts its signal with the reason', () => {
    const told: unknown[] = [];
    const say = (...what: unknown[]): void => void told.push(what);
    for (const options of [{}, { shared: sharedGateMemory() }]) {
      told.length = 0;
      const gate = createShutdownGate({ ...options, logger: { debug: say, info: say, warn: say, error: say } });
      const permit = enter(gate, 'a');
      gate.requestShutdown('SIGTERM');
      gate.requestShutdown('again');
      expect([gate.requested, gate.tryEnter('b').ok, gate.requested]).toEqual([true, false, true]);
      permit.settle('unknown');
      const entryId = permit.entryId;
      expect(gate.resolve(entryId, 'refused', { by: 'ops' })).toBe('resolved');
      expect(told).toEqual([
        [{ reason: 'SIGTERM', inflight: 1 }, 'shutdown requested: no further order is admitted'],
        [{ entryId, label: 'a' }, 'the outcome of an order is unknown until it is resolved'],
        [{ entryId, label: 'a', outcome: 'refused', by: 'ops' }, 'the outcome of an order was resolved'],
      ]);
      expect(gate.signal.reason).toMatchObject({ name: 'AbortError', message: 'SIGTERM' });
    }
  });

  it('S2: an order whose outcome is unknown is not under way again because its wait ends late, and counts once', () => {
    const { gate } = openGate();
    const { protocol } = gate;
    const entry = protocol.enter('a', gate.clock.monotonicMs());
    if (entry === undefined) throw new Error('shut');
    protocol.settle(entry, 'unknown');
    protocol.markTimedOut(entry);
    expect(protocol.unfinished()).toMatchObject([{ label: 'a', state: 'unknown' }]);
    protocol.settle(entry, 'acknowledged');
    expect([gate.inflight(), gate.unknownOutcomes()]).toEqual([0, 1]);
    const foreign = { entryId: 9, enteredMs: 0, state: 'in_flight' };
    protocol.markTimedOut(foreign);
    protocol.settle(foreign, 'acknowledged');
    expect([foreign.state, gate.inflight()]).toEqual(['in_flight', 0]);
  });

  it('its exit permits say what they are, and nobody can write to them', () => {
    const permit = openGate().gate.protocol.issueExitPermit();
    expect([permit, Object.isFrozen(permit)]).toEqual([{ 'failflat.exitPermit': true }, true]);
  });

  it('S13: a logger that throws changes nothing', () => {
    const fail = (): never => {
      throw new Error('disk full');
    };
    const gate = createShutdownGate({ logger: { debug: fail, info: fail, warn: fail, error: fail } });
    const permit = enter(gate, 'a');
    permit.settle('unknown');
    expect(gate.resolve(permit.entryId, 'refused', { by: 'ops' })).toBe('resolved');
    gate.requestShutdown('x');
    expect(gate.requested).toBe(true);
  });

  it('S2: a drain ends when the last slot is freed', async () => {
    const { clock, gate } = openGate();
    const [first, second] = [enter(gate, 'a'), enter(gate, 'b')];
    const drain = gate.waitForInflightZero({ timeoutMs: 1_000 });
    first.settle('acknowledged');
    first.settle('acknowledged');
    expect(gate.inflight()).toBe(1);
    await clock.advance(40);
    second.settle('refused');
    expect(await drain).toEqual({ drained: true, waitedMs: 40, unfinished: [], inflightElsewhere: 0 });
  });

  it('S2: at its timeout a drain reports what is unfinished by label, age and state, the oldest first', async () => {
    const { clock, gate } = openGate();
    const first = enter(gate, 'a');
    await clock.advance(10);
    const second = enter(gate, 'b');
    first.settle('unknown');
    const drain = gate.waitForInflightZero({ timeoutMs: 100 });
    await clock.advance(100);
    expect(await drain).toEqual({
      drained: false,
      waitedMs: 100,
      unfinished: [
        { entryId: first.entryId, label: 'a', ageMs: 110, state: 'unknown' },
        { entryId: second.entryId, label: 'b', ageMs: 100, state: 'in_flight' },
      ],
      inflightElsewhere: 0,
    });
    expect(gate.status()).toMatchObject({ inflight: 1, unknownOutcomes: 1, oldestInflightAgeMs: 100 });
  });

  it('S2: a drain with nothing in flight still names the unknown outcomes', async () => {
    const { gate } = openGate();
    const permit = enter(gate, 'a');
    permit.settle('unknown');
    const report = await gate.waitForInflightZero({ timeoutMs: 100 });
    expect(report).toMatchObject({ drained: true, waitedMs: 0, unfinished: [{ label: 'a', state: 'unknown' }] });
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 40, '5', undefined])(
    'S2: a drain is never refused over its timeout %s',
    async (timeoutMs) => {
      const { clock, gate } = openGate();
      const permit = enter(gate, 'a');
      const drain = gate.waitForInflightZero({ timeoutMs: timeoutMs as number });
      let ended = false;
      void drain.then(() => {
        ended = true;
      });
      await settled();
      expect(ended).toBe(timeoutMs === -1);
      await clock.advance(7_999);
      permit.settle('acknowledged');
      expect((await drain).drained).toBe(timeoutMs !== -1);
    },
  );

  it('S2: an unknown outcome counts until someone who is named resolves it; a call in flight cannot be resolved away', () => {
    const { gate } = openGate();
    const permit = enter(gate, 'a');
    expect(gate.resolve(permit.entryId, 'refused', { by: 'ops' })).toBe('in_flight');
    permit.settle('unknown');
    permit.settle('acknowledged');
    expect([gate.inflight(), gate.unknownOutcomes()]).toEqual([0, 1]);
    expect(() => gate.resolve(permit.entryId, 'acknowledged', { by: ' ' })).toThrow(ConfigurationError);
    expect(() => gate.resolve(permit.entryId, 'unknown' as 'refused', { by: 'ops' })).toThrow(ConfigurationError);
    expect(gate.unknownOutcomes()).toBe(1);
    expect(gate.resolve(permit.entryId, 'acknowledged', { by: 'ops' })).toBe('resolved');
    expect(gate.resolve(permit.entryId, 'acknowledged', { by: 'ops' })).toBe('not_found');
    expect(gate.unknownOutcomes()).toBe(0);
  });

  it('S3: a permit settled with a word that is no outcome is unknown', () => {
    const { gate } = openGate();
    enter(gate, 'a').settle('done' as 'acknowledged');
    expect(gate.unknownOutcomes()).toBe(1);
  });

  it('several drains at once all end, and none leaves a timer behind', async () => {
    const { clock, gate } = openGate();
    const permit = enter(gate, 'a');
    const drains = [gate.waitForInflightZero({ timeoutMs: 50 }), gate.waitForInflightZero({ timeoutMs: 500 })];
    await clock.advance(50);
    permit.settle('acknowledged');
    expect((await Promise.all(drains)).map(({ drained }) => drained)).toEqual([false, true]);
    expect(gate.tryEnter('next').ok).toBe(true);
  });

  it('a shutdown without a usable reason is a shutdown', () => {
    const { gate } = openGate();
    gate.requestShutdown(undefined as unknown as string);
    expect([gate.requested, gate.reason]).toEqual([true, 'no reason given']);
    const blank = openGate().gate;
    blank.requestShutdown(' \t ');
    expect(blank.reason).toBe('no reason given');
    const padded = openGate().gate;
    padded.requestShutdown(' SIGTERM ');
    expect(padded.reason).toBe(' SIGTERM ');
  });

  it('S2: an outcome or a name that cannot be taken is refused in words', () => {
    const { gate } = openGate();
    const resolve = (outcome: unknown, who: unknown) => () => Reflect.apply(gate.resolve, gate, [1, outcome, who]) as unknown;
    expect(resolve('filled', { by: 'ops' })).toThrow('outcome = "filled": must be one of acknowledged, refused');
    for (const who of [undefined, null, {}, { by: 7 }, { by: '' }, { by: ' ' }])
      expect(resolve('refused', who)).toThrow('must be a text that is not empty');
    expect(resolve('refused', { by: '' })).toThrow('by = "": ');
    expect(resolve('refused', { by: 'ops' })()).toBe('not_found');
    expect(resolve('acknowledged', { by: 'ops' })()).toBe('not_found');
  });

  it('its status and its figures are one', () => {
    const { gate } = openGate();
    enter(gate, 'a').settle('unknown');
    enter(gate, 'b');
    const { inflight, unknownOutcomes, longestBrokerTimeoutMs } = gate.status();
    expect([inflight, unknownOutcomes, longestBrokerTimeoutMs]).toEqual([1, 1, undefined]);
    expect([gate.inflight(), gate.unknownOutcomes(), gate.longestBrokerTimeoutMs()]).toEqual([1, 1, undefined]);
    gate.protocol.coverBrokerTimeout(700);
    expect(gate.longestBrokerTimeoutMs()).toBe(700);
  });
});
