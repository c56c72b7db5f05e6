import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { FROM_START } from '../../src/bus/bus.js';
import { createExitBrain } from '../../src/exitBrain/exitBrain.js';
import { encodeMaintenance, MAINTENANCE } from '../../src/messages/maintenance.js';
import { encodePanicClose, PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { decodePeerBeat, WATCHDOG_HEARTBEAT } from '../../src/messages/peerBeat.js';
import { type BusFaults, faultyBus, HandBrain, type Scene, scene } from './scene.js';

const seed = Number(process.env['FC_SEED'] ?? 20_261);
let open: Scene[] = [];
const begin = (name?: string): Scene => {
  const made = scene(name);
  open.push(made);
  return made;
};
afterEach(async () => {
  for (const made of open) await made.end();
  open = [];
});

async function panicAfterMs(s: Scene, limitMs: number, stepMs = 10): Promise<number | undefined> {
  const fromMs = s.clock.monotonicMs();
  while (s.clock.monotonicMs() - fromMs < limitMs) {
    if ((await s.panics()).length > 0) return s.clock.monotonicMs() - fromMs;
    await s.clock.advance(stepMs);
  }
  return undefined;
}

describe('rules end to end', () => {
  it('L1: an expected brain that dies flat is panicked within threshold + 100 ms', async () => {
    const s = begin();
    await s.arm({ services: ['brain'] });
    const watchdog = s.watchdog();
    const brain = new HandBrain(s.newHandle());
    for (let i = 0; i < 5; i += 1) {
      await brain.beat();
      await s.clock.advance(1_000);
    }
    await brain.beat();
    const tookMs = await panicAfterMs(s, 8_000);
    expect(tookMs).toBeGreaterThanOrEqual(5_000);
    expect(tookMs).toBeLessThanOrEqual(5_100);
    expect((await s.panics())[0]).toMatchObject({
      reason: 'EXIT_BRAIN_HEARTBEAT_MISSING',
      scope: 'default',
      epoch: 1,
      issuedBy: 'watchdog',
    });
    expect(watchdog.status().openPanics).toHaveLength(1);
  });

  it('L1: with positions open the threshold is 3 s, also when only the worker knows of them', async () => {
    for (const known of ['brain', 'worker'] as const) {
      const s = begin(known);
      await s.arm({ services: ['brain'] });
      s.watchdog();
      const brain = new HandBrain(s.newHandle());
      for (let i = 0; i < 3; i += 1) {
        await brain.beat({ activePositions: known === 'brain' ? 2 : 0 });
        await s.clock.advance(1_000);
      }
      await brain.beat();
      await s.worker(known === 'worker' ? 2 : 0);
      const tookMs = await panicAfterMs(s, 8_000);
      expect(tookMs).toBeGreaterThanOrEqual(3_000);
      expect(tookMs).toBeLessThanOrEqual(3_100);
    }
  });

  it('L7: people are told before anything slow can happen, and a sink that hangs or throws delays nothing', async () => {
    for (const send of [
      () => new Promise<void>(() => undefined),
      () => Promise.reject(new Error('no')),
      (): never => {
        throw new Error('no');
      },
    ]) {
      const s = begin();
      await s.arm({ services: ['brain'] });
      s.watchdog({ alert: { send } });
      expect(await panicAfterMs(s, 6_000)).toBeLessThanOrEqual(5_200);
    }
    const s = begin();
    await s.arm({ services: ['brain'] });
    s.watchdog();
    await s.clock.advance(5_200);
    expect(s.alerts).toMatchObject([{ kind: 'watchdog.panic', incident: 'default@1', severity: 'critical' }]);
  });

  it('a brain that nobody expects, flat or never seen, is a status only; so is everything at epoch 0', async () => {
    const s = begin();
    const watchdog = s.watchdog();
    await new HandBrain(s.newHandle()).beat();
    await s.worker(0);
    await s.clock.advance(60_000);
    expect(await s.panics()).toEqual([]);
    expect(watchdog.status().services).toHaveLength(1);
  });

  it('halted with positions open and the brain dead still panics; halted and flat does not', async () => {
    for (const positions of [0, 1]) {
      const s = begin(`halted ${positions}`);
      const halts = [{ id: 'h', kind: 'manual', by: 'me', reason: 'test', sinceWallMs: 1 }] as const;
      await s.arm({ services: ['brain'], mode: 'HALTED', halts });
      s.watchdog();
      await s.clock.advance(200);
      await new HandBrain(s.newHandle()).beat({ activePositions: positions });
      await s.clock.advance(10_000);
      expect(await s.firstPanics()).toHaveLength(positions);
    }
  });

  it('degraded for 5 s panics; degraded for less does not', async () => {
    const s = begin();
    await s.arm({ services: ['brain'] });
    s.watchdog();
    const brain = new HandBrain(s.newHandle());
    for (let i = 0; i < 9; i += 1) {
      await brain.beat({ status: i % 5 === 4 ? 'OK' : 'DEGRADED' });
      await s.clock.advance(1_000);
    }
    expect(await s.panics()).toEqual([]);
    for (let i = 0; i < 6; i += 1) {
      await brain.beat({ status: 'DEGRADED' });
      await s.clock.advance(1_000);
    }
    expect((await s.panics())[0]?.reason).toBe('EXIT_BRAIN_DEGRADED');
  });
});

describe('planned work', () => {
  it('S8: a handover in which the next generation beats before the goodbye stays quiet', async () => {
    const s = begin();
    await s.arm({ services: ['brain'] });
    s.watchdog();
    const old = createExitBrain({ bus: s.newHandle(), serviceId: 'brain', clock: s.clock });
    old.decided({ activePositions: 2 });
    await s.clock.advance(4_000);
    const next = createExitBrain({ bus: s.newHandle(), serviceId: 'brain', clock: s.clock });
    await s.clock.advance(700);
    await old.goodbye();
    for (let i = 0; i < 20; i += 1) {
      next.decided({ activePositions: 2 });
      await s.clock.advance(1_000);
    }
    expect(await s.panics()).toEqual([]);
    await next.goodbye();
    await s.clock.advance(3_100);
    expect(await s.firstPanics()).toHaveLength(1);
  });

  it('S8: a maintenance window suspends the rules about silence for its service alone, and panics when it ends without beats', async () => {
    const s = begin();
    await s.arm({ services: ['brain', 'other'], accounts: ['default', 'b'] });
    s.watchdog();
    const window = {
      windowId: 'm',
      serviceId: 'brain',
      durationMs: 90_000,
      by: 'me',
      reason: 'upgrade',
      epoch: 1,
      wallMs: s.clock.wallMs(),
    };
    const other = new HandBrain(s.newHandle(), { serviceId: 'other', account: 'b' });
    await new HandBrain(s.newHandle()).beat({ activePositions: 1 });
    await s.bus.append(MAINTENANCE, encodeMaintenance(window));
    for (let i = 0; i < 89; i += 1) {
      await other.beat();
      await s.clock.advance(1_000);
    }
    expect(await s.panics()).toEqual([]);
    await other.beat();
    await s.clock.advance(1_200);
    expect(await s.firstPanics()).toMatchObject([{ scope: 'default' }]);
    await s.clock.advance(5_000);
    expect((await s.firstPanics()).map((panic) => panic.scope)).toEqual(['default', 'b']);
  });
});

describe('S8: no false panic', () => {
  it('S8: stalls of any length anywhere, with beats arriving, never panic, and a real death afterwards does', async () => {
    const step = fc.record({ awakeMs: fc.integer({ min: 1, max: 4_000 }), stallMs: fc.integer({ min: 0, max: 20_000 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const s = scene();
        await s.arm({ services: ['brain'] });
        const brain = new HandBrain(s.newHandle());
        let nextBeatMs = s.clock.monotonicMs();
        // The brain is another process: it beats on while the watchdog does not get to run.
        const pass = async (ms: number, move: (ms: number) => Promise<void>) => {
          const untilMs = s.clock.monotonicMs() + ms;
          const batch: number[] = [];
          while (nextBeatMs <= untilMs) {
            batch.push(nextBeatMs);
            nextBeatMs += 1_000;
          }
          return { batch, untilMs, move };
        };
        s.watchdog();
        for (const { awakeMs, stallMs } of steps) {
          const awake = await pass(awakeMs, s.clock.advance);
          for (const atMs of awake.batch) {
            await s.clock.advance(Math.max(0, atMs - s.clock.monotonicMs()));
            await brain.beat({ activePositions: 1 });
          }
          await s.clock.advance(awake.untilMs - s.clock.monotonicMs());
          const asleep = await pass(stallMs, s.clock.stall);
          // On the bus before the watchdog wakes, with nothing of it having run: appended without letting timers fire.
          for (let i = 0; i < asleep.batch.length; i += 1) await brain.beat({ activePositions: 1 });
          await s.clock.stall(Math.max(0, asleep.untilMs - s.clock.monotonicMs()));
        }
        await s.clock.advance(Math.max(0, nextBeatMs - s.clock.monotonicMs()));
        await brain.beat({ activePositions: 1 });
        const quiet = (await s.panics()).length === 0;
        await s.clock.advance(5_300);
        const alarmed = (await s.firstPanics()).length === 1;
        await s.end();
        return quiet && alarmed;
      }),
      { seed, numRuns: 25 },
    );
  });

  it('S8: a host that slept with everybody on it gives the brain time to speak first', async () => {
    const s = begin();
    await s.arm({ services: ['brain'] });
    s.watchdog();
    const brain = new HandBrain(s.newHandle());
    await s.clock.advance(300);
    await brain.beat({ activePositions: 1 });
    await s.clock.advance(900);
    await s.clock.stall(60_000);
    await s.clock.advance(1_500);
    expect(await s.panics()).toEqual([]);
    await brain.beat();
    await s.clock.advance(2_900);
    expect(await s.panics()).toEqual([]);
    await s.clock.advance(300);
    expect(await s.firstPanics()).toHaveLength(1);
  });

  it('S8: wall-clock steps of an hour in either direction never panic', async () => {
    const s = begin();
    await s.arm({ services: ['brain'] });
    s.watchdog();
    const brain = createExitBrain({ bus: s.newHandle(), serviceId: 'brain', clock: s.clock });
    for (let i = 0; i < 60; i += 1) {
      brain.decided({ activePositions: 1 });
      s.clock.stepWall([3_600_000, -3_600_000, 0, -3_600_000, 3_600_000][i % 5] ?? 0);
      await s.clock.advance(1_000);
    }
    expect(await s.panics()).toEqual([]);
    await brain.close();
    s.clock.stepWall(-3_600_000);
    await s.clock.advance(3_200);
    expect(await s.firstPanics()).toHaveLength(1);
  });

  it('S8: an outage of the whole bus shorter than busOutageMaxMs never panics; a brain that died in it is panicked after the allowance', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 100, max: 10_000 }),
        fc.integer({ min: 0, max: 999 }),
        fc.boolean(),
        async (outageMs, phaseMs, dies) => {
          const s = scene();
          const faults: BusFaults = {};
          await s.arm({ services: ['brain'] });
          s.watchdog({ bus: faultyBus(s.newHandle(), faults) });
          const brain = createExitBrain({ bus: faultyBus(s.newHandle(), faults), serviceId: 'brain', clock: s.clock });
          brain.decided({ activePositions: 1 });
          await s.clock.advance(5_000 + phaseMs);
          faults.out = true;
          if (dies) await brain.close();
          await s.clock.advance(outageMs);
          faults.out = false;
          // The loop goes on: only its beats were lost.
          for (let i = 0; i < 8; i += 1) {
            if (!dies) brain.decided({ activePositions: 1 });
            await s.clock.advance(1_000);
          }
          const count = (await s.firstPanics()).length;
          await brain.close();
          await s.end();
          return count === (dies ? 1 : 0);
        },
      ),
      { seed, numRuns: 30 },
    );
  });

  it('S8: a beat that is on the bus counts, even where the news of it is late', async () => {
    const s = begin();
    const faults: BusFaults = {};
    await s.arm({ services: ['brain'] });
    s.watchdog({ bus: faultyBus(s.newHandle(), faults) });
    const brain = new HandBrain(s.newHandle());
    await s.clock.advance(500);
    let hear: () => void = () => undefined;
    faults.deaf = new Promise((resolve) => {
      hear = resolve;
    });
    for (let i = 0; i < 20; i += 1) {
      await brain.beat({ activePositions: 1 });
      await s.clock.advance(1_000);
    }
    expect(await s.panics()).toEqual([]);
    await s.clock.advance(4_100);
    expect(await s.firstPanics()).toHaveLength(1);
    hear();
  });

  it('S6: recoveries that follow each other for ever cannot put an accusation off for ever', async () => {
    const s = begin();
    const faults: BusFaults = {};
    await s.arm({ services: ['brain'] });
    s.watchdog({ bus: faultyBus(s.newHandle(), faults) });
    await new HandBrain(s.newHandle()).beat({ activePositions: 1 });
    for (let i = 0; i < 30 && (await s.panics()).length === 0; i += 1) {
      await s.clock.advance(1_500);
      await s.clock.stall(500);
    }
    expect(await s.firstPanics()).toHaveLength(1);
  });
});

describe('panics', () => {
  it('S9: three watchdogs make one panic, and re-sends share one pace', async () => {
    const s = begin();
    await s.arm({ services: ['brain'] });
    for (let i = 0; i < 3; i += 1) s.watchdog();
    await s.clock.advance(5_500);
    expect(await s.firstPanics()).toHaveLength(1);
    await s.clock.advance(20_000);
    const panics = await s.panics();
    expect(new Set(panics.map((panic) => panic.eventId)).size).toBe(1);
    expect(panics.length).toBeGreaterThanOrEqual(5);
    expect(panics.length).toBeLessThanOrEqual(20);
  });

  it('S6: re-sends go on until the completion is seen, each a record of its own with a rising counter', async () => {
    const s = begin();
    await s.arm({ services: ['brain'] });
    s.watchdog();
    await s.clock.advance(30_000);
    const panics = await s.panics();
    expect(panics.map((panic) => panic.resend)).toEqual(panics.map((_, index) => index));
    expect(panics.length).toBeGreaterThanOrEqual(6);
    const [first] = panics;
    if (first !== undefined) await s.complete(first);
    await s.clock.advance(60_000);
    expect(await s.panics()).toHaveLength(panics.length);
  });

  it("S6: an operator's panic is re-sent as well, and ended by a re-arm", async () => {
    const s = begin();
    await s.arm();
    s.watchdog();
    await s.clock.advance(500);
    const panic = { eventId: 'e', reason: 'drill', issuedBy: 'ops', by: 'operator', wallMs: 0, epoch: 1, resend: 0 } as const;
    await s.bus.append(PANIC_CLOSE, encodePanicClose(panic));
    await s.clock.advance(10_000);
    const sent = await s.panics();
    expect(sent.length).toBeGreaterThanOrEqual(3);
    expect(sent.every(({ eventId, issuedBy }) => eventId === 'e' && issuedBy === 'ops')).toBe(true);
    await s.arm({ epoch: 2 });
    await s.clock.advance(300);
    const after = (await s.panics()).length;
    await s.clock.advance(30_000);
    expect(await s.panics()).toHaveLength(after);
  });

  it('S6: a second panic of the same epoch is re-sent until it is answered itself, also after the first has been', async () => {
    const s = begin();
    await s.arm();
    s.watchdog();
    const first = {
      eventId: 'a',
      reason: 'drill',
      issuedBy: 'ops',
      by: 'operator',
      wallMs: 0,
      epoch: 1,
      scope: 'default',
      resend: 0,
    } as const;
    const second = { ...first, eventId: 'b' };
    const sent = async (eventId: string) => (await s.panics()).filter((panic) => panic.eventId === eventId).length;
    await s.bus.append(PANIC_CLOSE, encodePanicClose(first));
    await s.clock.advance(500);
    await s.complete(first);
    await s.clock.advance(500);
    await s.bus.append(PANIC_CLOSE, encodePanicClose(second));
    await s.clock.advance(20_000);
    expect(await sent('a')).toBe(1);
    expect(await sent('b')).toBeGreaterThan(1);
    await s.complete(second);
    await s.clock.advance(500);
    const answered = await sent('b');
    await s.clock.advance(20_000);
    expect(await sent('b')).toBe(answered);
  });

  it("S9: whose account an operator's panic covers already is not reported again with the next one", async () => {
    const s = begin();
    await s.arm({ accounts: ['default', 'b'] });
    s.watchdog();
    await s.clock.advance(500);
    const panic = {
      eventId: 'e',
      reason: 'drill',
      issuedBy: 'ops',
      by: 'operator',
      wallMs: 0,
      epoch: 1,
      scope: 'default',
      resend: 0,
    } as const;
    await s.bus.append(PANIC_CLOSE, encodePanicClose(panic));
    await new HandBrain(s.newHandle()).beat({ activePositions: 1 });
    await new HandBrain(s.newHandle(), { serviceId: 'other', account: 'b' }).beat({ activePositions: 1 });
    await s.clock.advance(3_500);
    expect((await s.firstPanics()).map(({ scope, issuedBy }) => [scope, issuedBy])).toEqual([
      ['default', 'ops'],
      ['b', 'watchdog'],
    ]);
    const accused = s.alerts.filter(({ kind }) => kind === 'watchdog.panic');
    expect(accused.map((alert) => alert.incident)).toEqual(['b@1']);
  });

  it('S9: one panic for each account and epoch; the next epoch has its own', async () => {
    const s = begin();
    await s.arm({ services: ['brain'] });
    s.watchdog();
    await s.clock.advance(5_500);
    const [first] = await s.panics();
    if (first !== undefined) await s.complete(first);
    await s.clock.advance(60_000);
    expect(await s.firstPanics()).toHaveLength(1);
    await s.arm({ services: ['brain'], epoch: 2 });
    await s.clock.advance(4_800);
    expect(await s.firstPanics()).toHaveLength(1);
    await s.clock.advance(400);
    expect((await s.firstPanics()).map((panic) => panic.epoch)).toEqual([1, 2]);
  });
});

describe('its own heartbeat', () => {
  it('L4: beats every 125 ms in every trading state, and stops while it cannot read', async () => {
    const s = begin();
    const faults: BusFaults = {};
    s.watchdog({ bus: faultyBus(s.newHandle(), faults) });
    await s.clock.advance(2_000);
    const beats = async () => (await s.bus.read(WATCHDOG_HEARTBEAT, FROM_START)).records.map((record) => decodePeerBeat(record.fields));
    const before = (await beats()).length;
    expect(before).toBeGreaterThanOrEqual(14);
    await s.arm({ epoch: 7 });
    await s.clock.advance(1_000);
    const last = (await beats()).at(-1);
    expect(last?.ok === true && last.value.epoch).toBe(7);
    // Its appends go through; only its reads stand still.
    let hear: () => void = () => undefined;
    faults.deaf = new Promise((resolve) => {
      hear = resolve;
    });
    await s.clock.advance(1_500);
    const during = (await beats()).length;
    await s.clock.advance(5_000);
    expect(await beats()).toHaveLength(during);
    hear();
    delete faults.deaf;
    await s.clock.advance(2_000);
    expect((await beats()).length).toBeGreaterThan(during + 10);
  });

  it('S3: a state that cannot be understood does not blind the watchdog', async () => {
    for (const spoilt of ['an unknown version', 'damage']) {
      const s = begin(spoilt);
      await s.arm({ services: ['brain'] });
      if (spoilt === 'damage') s.spoilState();
      else await s.bus.latch('system:state:trading').compareAndSet(1, { schema: '99' });
      s.watchdog();
      await s.clock.advance(500);
      await new HandBrain(s.newHandle()).beat({ activePositions: 3 });
      await s.clock.advance(3_300);
      expect(await s.firstPanics()).toHaveLength(1);
    }
  });
});
