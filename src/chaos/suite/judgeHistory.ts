/** Judges what a workload has recorded, and turns each answer into a check of the run. */

import { ACCOUNT } from '../../drill/cast.js';
import { TOLERANCE_MS } from '../../drill/judge/evidence.js';
import { fillsOf } from '../../rig/books.js';
import { ordersAfterHalt } from '../history/afterHalt.js';
import { judgeHaltRegister } from '../history/haltRegister.js';
import type { OrderOperation } from '../history/operation.js';
import { lostPanics } from '../history/panics.js';
import { zeroCrossings } from '../history/positions.js';
import type { Scene } from './scene.js';
import type { HaltWorkload } from './workload.js';

/** A history is shown by its first witnesses; all of it is in its file. */
const SHOWN = 3;

const witnesses = (violations: readonly string[]): string =>
  violations.length === 0 ? 'none' : `${violations.length}: ${violations.slice(0, SHOWN).join('; ')}`;

/** Orders from when trading was armed for the first time: the workload knows of no arming before. */
function ordersOf({ conductor }: Scene): readonly OrderOperation[] {
  return conductor
    .attempts()
    .filter(({ value }) => value.atMs >= conductor.marks.armedMs)
    .map(({ value: { clientOrderId, atMs, result, code } }) => {
      const [, pid = ''] = clientOrderId.split('-');
      return { strategy: `strategy of process ${pid}`, atMs, result, ...(code === undefined ? {} : { code }) };
    });
}

function judgeRegister(scene: Scene, { register, rounds }: HaltWorkload): void {
  const count = (kind: string, outcome = 'ok') =>
    register.filter((operation) => operation.kind === kind && operation.outcome === outcome).length;
  const { verdict, violations } = judgeHaltRegister(register, { active: true, halts: [] });
  const made = `${count('read')} reads (${count('read', 'fail')} failed), ${count('halt')} halts (${count('halt', 'info')} unknown), ${count('rearm')} re-arms (${count('rearm', 'fail')} failed)`;
  scene.judged('J.register', 'the halt register is linearizable, or stale only where that is safe', {
    passed: verdict === 'linearizable' || verdict === 'safe-stale',
    missing: verdict === 'empty',
    evidence: `${verdict}, ${made}; violations: ${witnesses(violations)}`,
  });
  scene.dose({ what: 'acknowledged halts', target: rounds, measured: count('halt'), unit: 'halts' });
  scene.dose({ what: 're-arms behind them', target: rounds, measured: count('rearm'), unit: 're-arms' });
}

function judgeOrders(scene: Scene, { register }: HaltWorkload): void {
  const knownWithinMs = scene.conductor.timings.lease.ttlMs + TOLERANCE_MS;
  const { judged, violations } = ordersAfterHalt(ordersOf(scene), register, { knownWithinMs });
  scene.judged('J.orders', 'no order begins behind a halt that its sender has seen, or must have', {
    passed: judged > 0 && violations.length === 0,
    missing: judged === 0,
    evidence: `${judged} attempts behind a halt; violations: ${witnesses(violations)}`,
  });
}

async function judgePanics(scene: Scene, workload: HaltWorkload): Promise<void> {
  const completedMs = scene.conductor.sight.completions.map(({ atMs }) => atMs);
  const { acknowledged, violations } = lostPanics(workload.panics, { standing: await workload.standingPanics(), completedMs });
  scene.judged('J.panics', 'no panic that was acknowledged is lost', {
    passed: acknowledged > 0 && violations.length === 0,
    missing: acknowledged === 0,
    evidence: `${acknowledged} acknowledged; violations: ${witnesses(violations)}`,
  });
}

function judgePositions(scene: Scene): void {
  const fills = fillsOf(scene.conductor.events(), ACCOUNT, () => true);
  const steps = fills.map(({ symbol, source, positionBefore, positionAfter }) => ({
    symbol,
    by: source,
    before: positionBefore,
    after: positionAfter,
  }));
  const { violations } = zeroCrossings(steps);
  scene.judged('J.positions', 'no position crosses zero', {
    passed: steps.length > 0 && violations.length === 0,
    missing: steps.length === 0,
    evidence: `${steps.length} fills; violations: ${witnesses(violations)}`,
  });
}

export async function judgeHistory(scene: Scene, workload: HaltWorkload): Promise<void> {
  judgeRegister(scene, workload);
  judgeOrders(scene, workload);
  await judgePanics(scene, workload);
  judgePositions(scene);
  scene.stage.history = [...workload.register, ...workload.panics].toSorted((a, b) => a.invokedMs - b.invokedMs);
}
