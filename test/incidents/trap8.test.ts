/** Four ways in which a dead exit brain looked healthy. */
import { expect, it } from 'vitest';
import { FROM_START } from '../../src/bus/bus.js';
import { assembleExitBrain, createExitBrain, intactParts } from '../../src/exitBrain/exitBrain.js';
import { decodeBrainBeat, EXIT_BRAIN_HEARTBEAT } from '../../src/messages/heartbeat.js';
import { createWatchdog } from '../../src/watchdog/watchdog.js';
import { HandBrain, type Scene, scene } from '../watchdog/scene.js';

async function firstPanicWithin(s: Scene, limitMs: number): Promise<{ atMs: number; reason: string } | undefined> {
  const fromMs = s.clock.monotonicMs();
  for (;;) {
    const [panic] = await s.panics();
    const atMs = s.clock.monotonicMs() - fromMs;
    if (panic !== undefined) return { atMs, reason: panic.reason };
    if (atMs >= limitMs) return undefined;
    await s.clock.advance(100);
  }
}

it('trap 8, S11: a brain whose timer outlives its loop calls itself DEGRADED and is panicked', async () => {
  const s = scene('timer');
  await s.arm({ services: ['brain'] });
  s.watchdog();
  const brain = createExitBrain({ bus: s.newHandle(), serviceId: 'brain', clock: s.clock });
  await s.clock.advance(500);
  brain.decided({ activePositions: 3 });
  const panic = await firstPanicWithin(s, 40_000);
  expect(panic?.reason).toBe('EXIT_BRAIN_DEGRADED');
  expect(panic?.atMs).toBeGreaterThan(14_000);
  expect(panic?.atMs).toBeLessThanOrEqual(16_200);
  await brain.close();
  await s.end();
});

it('trap 8, S11: a brain that calls itself OK without deciding is panicked when its decisions are stale; one that invents decisions is not seen', async () => {
  for (const invents of [false, true]) {
    const s = scene(`lying ${invents}`);
    await s.arm({ services: ['brain'] });
    s.watchdog();
    let invented = 0;
    const progress = invents
      ? () => ({ decisionSequence: ++invented, status: 'OK' as const })
      : (condition: { decisions: number }) => ({ decisionSequence: condition.decisions, status: 'OK' as const });
    const brain = assembleExitBrain({ bus: s.newHandle(), serviceId: 'brain', clock: s.clock }, { ...intactParts, progress });
    await s.clock.advance(500);
    brain.decided({ activePositions: 3 });
    const panic = await firstPanicWithin(s, 40_000);
    // The second half is the sabotage that the first half must catch: it shows that the rule looks at decisions alone.
    expect(panic?.reason).toBe(invents ? undefined : 'EXIT_BRAIN_DECISION_STALE');
    if (!invents) expect(panic?.atMs).toBeLessThanOrEqual(31_200);
    await brain.close();
    await s.end();
  }
});

it('trap 8, S11: a crash loop of 2.2 s, each life beating at once, is panicked as flapping within four lives', async () => {
  const s = scene('flapping');
  await s.arm({ services: ['brain'] });
  s.watchdog();
  await s.clock.advance(500);
  const fromMs = s.clock.monotonicMs();
  for (let life = 0; life < 4; life += 1) {
    const brain = createExitBrain({ bus: s.newHandle(), serviceId: 'brain', clock: s.clock });
    brain.decided({ activePositions: 0 });
    await s.clock.advance(2_200);
    await brain.close();
  }
  expect((await s.firstPanics()).map((panic) => panic.reason)).toEqual(['EXIT_BRAIN_FLAPPING']);
  expect(s.clock.monotonicMs() - fromMs).toBeLessThanOrEqual(8_900);
  await s.end();
});

it('trap 8, S11: beats stamped an hour ahead keep nobody alive', async () => {
  const s = scene('future');
  await s.arm({ services: ['brain'] });
  s.watchdog();
  await s.clock.advance(500);
  await new HandBrain(s.newHandle()).beat({ activePositions: 1, wallMs: s.clock.wallMs() + 3_600_000 });
  expect((await firstPanicWithin(s, 10_000))?.atMs).toBeLessThanOrEqual(3_200);
  await s.end();
});

it('trap 8, S11: beats of the past, replayed again and again, keep nobody alive', async () => {
  const s = scene('replay');
  await s.arm({ services: ['brain'] });
  s.watchdog();
  await s.clock.advance(500);
  const old = new HandBrain(s.newHandle(), { generation: 'g0' });
  const brain = new HandBrain(s.newHandle(), { generation: 'g1', activePositions: 1 });
  const history = [await old.beat({ activePositions: 1 }), await old.beat(), await brain.beat(), await brain.beat(), await brain.beat()];
  await s.clock.advance(50);
  const fromMs = s.clock.monotonicMs();
  while ((await s.panics()).length === 0 && s.clock.monotonicMs() - fromMs < 10_000) {
    for (const fields of history) await s.bus.append(EXIT_BRAIN_HEARTBEAT, fields, { key: 'brain' });
    await s.clock.advance(100);
  }
  expect(s.clock.monotonicMs() - fromMs).toBeLessThanOrEqual(3_200);
  // Silence, and not a crash loop that the replay feigns.
  expect((await s.panics())[0]?.reason).toBe('EXIT_BRAIN_UNGUARDED');
  await s.end();
});

it('trap 8, S11: milliseconds cannot be read as seconds: thresholds that could never be reached are refused', async () => {
  const s = scene('units');
  expect(() => createWatchdog({ bus: s.bus, rules: { missingMs: 5 } })).toThrow(/rules\.missingMs = 5: must be a finite number/);
  expect(() => createWatchdog({ bus: s.bus, rules: { missingMs: 5e12 } })).toThrow(/rules\.missingMs/);
  const brain = createExitBrain({ bus: s.bus, serviceId: 'brain', clock: s.clock });
  await s.clock.advance(1_000);
  const [first, second] = (await s.bus.read(EXIT_BRAIN_HEARTBEAT, FROM_START)).records.map((record) => decodeBrainBeat(record.fields));
  expect(first?.ok === true && second?.ok === true && second.value.wallMs - first.value.wallMs).toBe(1_000);
  await brain.close();
  await s.end();
});
