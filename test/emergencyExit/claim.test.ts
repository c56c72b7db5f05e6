/** One owner at a time, a token that rises with each change of hands, and nothing under a claim that has run out. */
import { describe, expect, it } from 'vitest';
import type { Bus, Latch } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { ClaimDesk, type IncidentClaim } from '../../src/emergencyExit/claim.js';
import { faultyBus } from '../../src/testing/faultyBus.js';
import { ManualClock } from '../../src/testing/manualClock.js';

const CLAIM_MS = 2_000;

function scene() {
  const clock = new ManualClock();
  const memory = createMemoryBus({ clock });
  const desk = (owner: string) => new ClaimDesk(memory.handle(), clock, owner, CLAIM_MS);
  return { clock, memory, desk };
}

async function take(desk: ClaimDesk): Promise<IncidentClaim> {
  const attempt = await desk.tryTake('a@1', 'event');
  if (attempt.kind !== 'taken') throw new Error(attempt.kind);
  return attempt.claim;
}

/** As long as it lasts, what is written stands on one master alone. */
function withoutReplicas(bus: Bus, isAlone: () => boolean): Bus {
  return new Proxy(bus, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'latch') return value;
      return (key: string): Latch => {
        const latch = target.latch(key);
        return {
          get: () => latch.get(),
          watch: (...args) => latch.watch(...args),
          compareAndSet: async (...args) => {
            const set = await latch.compareAndSet(...args);
            return set.outcome === 'committed' && isAlone() ? { ...set, unreplicated: 'no replica confirmed it' } : set;
          },
        };
      };
    },
  });
}

describe('the claim on an incident', () => {
  it('S4, S9, trap 45: failover: on a master without replicas a claim is neither taken, nor lengthened, nor ended', async () => {
    const { clock, memory } = scene();
    let alone = true;
    const desk = new ClaimDesk(
      withoutReplicas(memory.handle(), () => alone),
      clock,
      'one',
      CLAIM_MS,
    );
    expect((await desk.tryTake('a@1', 'event')).kind).toBe('busy');
    expect((await desk.tryTake('a@1', 'event')).kind).toBe('busy');
    alone = false;
    const claim = await take(desk);
    const untilMs = claim.validUntilMs;
    alone = true;
    claim.progressed();
    await clock.advance(CLAIM_MS / 2);
    expect(claim.validUntilMs).toBe(untilMs);
    expect(await claim.finish('event', 'flat')).toBe(false);
    alone = false;
    claim.progressed();
    await clock.advance(CLAIM_MS / 4);
    expect(claim.validUntilMs).toBeGreaterThan(untilMs);
    expect(await claim.finish('event', 'flat')).toBe(true);
  });

  it('S9: a second worker waits while the first makes progress, and takes over when it has stood still', async () => {
    const { clock, desk } = scene();
    const first = await take(desk('one'));
    const second = desk('two');
    for (let times = 0; times < 12; times++) {
      expect((await second.tryTake('a@1', 'event')).kind).toBe('busy');
      first.progressed();
      await clock.advance(CLAIM_MS / 4);
    }
    expect(first.isValid()).toBe(true);
    // From here on the first one is stuck: its timer runs, its work does not.
    for (let waitedMs = 0; waitedMs <= CLAIM_MS + CLAIM_MS / 2; waitedMs += CLAIM_MS / 8) {
      const attempt = await second.tryTake('a@1', 'event');
      if (attempt.kind === 'taken') {
        expect(first.isValid()).toBe(false);
        expect(attempt.claim.token).toBe(first.token + 1);
        return;
      }
      await clock.advance(CLAIM_MS / 8);
    }
    throw new Error('never taken over');
  });

  it('S9: a frozen owner that wakes up after the takeover may not act, and can end nothing', async () => {
    const { clock, memory, desk } = scene();
    // A process of its own: while it is frozen, time passes for the others only.
    const frozen = new ManualClock();
    const first = await take(new ClaimDesk(memory.handle(), frozen, 'one', CLAIM_MS));
    const second = desk('two');
    await second.watch('a@1');
    await clock.advance(CLAIM_MS);
    const successor = await take(second);
    await frozen.stall(CLAIM_MS);
    expect(first.isValid()).toBe(false);
    expect(await first.finish('event', 'flat')).toBe(false);
    expect(await successor.finish('event', 'flat')).toBe(true);
    expect((await desk('three').tryTake('a@1', 'event')).kind).toBe('done');
  });

  it('S9: a renewal counts from when it was sent, so a slow bus shortens the claim instead of lengthening it', async () => {
    const { clock, memory } = scene();
    const bus = faultyBus(memory.handle());
    const claim = await take(new ClaimDesk(bus, clock, 'one', CLAIM_MS));
    let answer: () => void = () => {};
    bus.faults.latchWrite = { heldUntil: new Promise<void>((resolve) => (answer = resolve)) };
    claim.progressed();
    const sentMs = clock.monotonicMs() + CLAIM_MS / 4;
    await clock.advance(CLAIM_MS / 4);
    await clock.advance(CLAIM_MS / 2);
    answer();
    await clock.advance(0);
    expect(claim.validUntilMs).toBe(sentMs + CLAIM_MS);
  });

  it('S9: without contact the claim runs out by itself', async () => {
    const { clock, memory } = scene();
    const bus = faultyBus(memory.handle());
    const claim = await take(new ClaimDesk(bus, clock, 'one', CLAIM_MS));
    bus.faults.contact = 'fails';
    for (let times = 0; times < 4; times++) {
      claim.progressed();
      await clock.advance(CLAIM_MS / 4);
    }
    expect(claim.isValid()).toBe(false);
  });

  it('a worker that ends in order hands its claim back, and a successor need not wait', async () => {
    const { desk } = scene();
    const first = await take(desk('one'));
    await first.handBack();
    expect((await take(desk('two'))).token).toBe(first.token + 1);
  });

  it('trap 49: S9: after its host was suspended an owner may not act until a renewal has shown that nobody took over', async () => {
    const { clock, memory, desk } = scene();
    // A process of its own: while its host is suspended, its monotonic clock stands still.
    const suspended = new ManualClock();
    const first = await take(new ClaimDesk(memory.handle(), suspended, 'one', CLAIM_MS));
    suspended.stepWall(3_600_000);
    expect(first.isValid()).toBe(false);
    first.progressed();
    await suspended.advance(CLAIM_MS / 4);
    expect(first.isValid()).toBe(true);
    const second = desk('two');
    await second.watch('a@1');
    await clock.advance(CLAIM_MS);
    await take(second);
    suspended.stepWall(3_600_000);
    first.progressed();
    await suspended.advance(CLAIM_MS / 4);
    expect(first.isValid()).toBe(false);
  });

  it('S4, S9: two incidents of one account are never worked on at once, and those of two accounts are', async () => {
    const { desk } = scene();
    const one = desk('one');
    const first = await take(one);
    expect((await one.tryTake('a@2', 'other')).kind).toBe('busy');
    expect((await desk('two').tryTake('a@2', 'other')).kind).toBe('busy');
    expect((await desk('two').tryTake('b@1', 'other')).kind).toBe('taken');
    await first.finish('event', 'flat');
    const next = await desk('two').tryTake('a@2', 'event');
    expect(next).toMatchObject({ kind: 'taken', claim: { token: 2, openSince: 2 } });
  });
});
