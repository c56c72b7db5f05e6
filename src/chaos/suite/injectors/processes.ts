/** Faults of whole processes: a death, a standstill, and what a process carries inside it. */
import { systemClock } from '../../../clock.js';
import { BLOCK_MS } from '../../../drill/actors/faults.js';
import { SKEW_TARGET_MS, skewOf } from '../../run/scenarios/skew.js';
import type { Scene } from '../scene.js';
import type { Injector } from './injector.js';

const isGone = (state: string | undefined): boolean => state === undefined || state === 'Z';
const isStopped = (state: string | undefined): boolean => state === 'T' || state === 't';

export const kill: Injector<'kill'> = async ({ who }, scene) => {
  const atMs = systemClock.monotonicMs();
  scene.diedAt(atMs);
  for (const name of who) scene.strike(name, 'SIGKILL');
  scene.began(atMs);
  for (const name of who) scene.struck.push({ name, isKilled: true, afterMs: atMs });
  await Promise.all(who.map((name) => scene.untilState(name, isGone)));
  scene.ended(atMs);
  scene.dose({ what: 'processes that are gone, as the kernel says', target: who.length, measured: who.length, unit: 'processes' });
};

export const freeze: Injector<'freeze'> = async ({ who, for_ms: forMs }, scene) => {
  const atMs = systemClock.monotonicMs();
  if (who.some((name) => name.startsWith('exit-brain'))) scene.diedAt(atMs);
  for (const name of who) scene.strike(name, 'SIGSTOP');
  await Promise.all(who.map((name) => scene.untilState(name, isStopped)));
  scene.began(atMs);
  try {
    const heldMs = await scene.hold(forMs);
    scene.dose({
      what: `time in which ${who.join(' and ')} stood still`,
      target: forMs / scene.scale,
      measured: Math.round(heldMs),
      unit: 'ms',
    });
  } finally {
    for (const name of who) scene.strike(name, 'SIGCONT');
  }
  const overMs = scene.ended();
  for (const name of who) scene.struck.push({ name, isKilled: false, afterMs: overMs });
};

/** Beats of one process that the observer has seen in a span. One may have been under way when it began. */
function beatsOf({ conductor }: Scene, name: string, fromMs: number, untilMs: number): number {
  const { brainBeats, watchdogBeats, workerBeats } = conductor.sight;
  const own = [...watchdogBeats, ...workerBeats].filter(({ value }) => value.peerId === name);
  const beats = name.startsWith('exit-brain') ? brainBeats : own;
  return beats.filter(({ atMs }) => atMs > fromMs && atMs < untilMs).length;
}

const UNDER_WAY_MS = 250;

export const revokeBeats: Injector<'revoke_beats'> = async ({ who, for_ms: forMs }, scene) => {
  const atMs = systemClock.monotonicMs();
  if (who.some((name) => name.startsWith('exit-brain'))) scene.diedAt(atMs);
  for (const name of who) await scene.conductor.trigger(`the right to beat is taken from ${name}`, name);
  scene.began(atMs);
  const heldMs = await scene.hold(forMs);
  const overMs = systemClock.monotonicMs();
  for (const name of who) {
    const beats = beatsOf(scene, name, atMs + UNDER_WAY_MS, overMs);
    await scene.conductor.calm(`${name} may beat again`, name);
    scene.struck.push({ name, isKilled: false, afterMs: overMs });
    scene.dose({
      what: `silence of ${name} (${beats} beats were seen)`,
      target: Math.round(forMs / scene.scale),
      measured: beats === 0 ? Math.round(heldMs) : 0,
      unit: 'ms',
    });
  }
  scene.ended(overMs);
};

/** Standstills of the loop that must have shown in the flow of orders, of those that were made. */
const SEEN_SHARE = 0.5;
const BLOCKS_PER_S = 1_000 / 650;

export const blockLoop: Injector<'block_loop'> = async ({ who, for_ms: forMs }, scene) => {
  for (const name of who) await scene.conductor.trigger(`the loop of ${name} stands still for ${BLOCK_MS} ms, over and over`, name);
  const atMs = scene.began();
  const heldMs = await scene.hold(forMs);
  for (const name of who) await scene.conductor.calm(`the loop of ${name} is its own again`, name);
  const overMs = scene.ended();
  for (const name of who) {
    const own = `drill-${scene.pidOf(name)}-`;
    const attempts = scene.conductor.attempts().filter(({ value }) => value.clientOrderId.startsWith(own));
    const times = attempts.map(({ value }) => value.atMs).filter((moment) => moment >= atMs && moment <= overMs);
    const gaps = times.filter((moment, index) => index > 0 && moment - (times[index - 1] ?? moment) >= BLOCK_MS).length;
    scene.dose({
      what: `gaps of at least ${BLOCK_MS} ms in the orders of ${name}`,
      target: Math.floor((heldMs / 1_000) * BLOCKS_PER_S * SEEN_SHARE),
      measured: gaps,
      unit: 'gaps',
    });
  }
};

export const stepClock: Injector<'step_clock'> = async ({ who }, scene) => {
  for (const name of who) await scene.conductor.trigger(`the wall clock of ${name} steps an hour ahead, and then back`, name);
  scene.began();
  const skewMs = await skewOf(scene.stage);
  scene.dose({
    what: 'distance of the wall clock of a watchdog from that of its reader',
    target: SKEW_TARGET_MS,
    measured: Math.round(skewMs),
    unit: 'ms',
  });
  scene.ended();
};
