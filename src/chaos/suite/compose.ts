/** Makes a scenario of the chaos run out of the data of a suite: its cast, its faults one beside another, and what it must recover to. */
import type { Variant } from '../../drill/actors/order.js';
import { ORDERS_PER_S } from '../../drill/cast.js';
import type { Evidence, Judge } from '../../drill/judge/evidence.js';
import { settle, unguarded } from '../../drill/scenarios/stage.js';
import type { CapabilityName } from '../capabilities/capability.js';
import type { ChaosScenario } from '../run/scenario.js';
import { OUTAGE } from '../run/scenarios/outages.js';
import { byPanic } from '../run/scenarios/silentBrain.js';
import { BEFORE_MS } from '../run/stage.js';
import { judgesOf } from './checks.js';
import { Containment } from './containment.js';
import { make } from './injectors/make.js';
import { judgeHistory } from './judgeHistory.js';
import { isPromised, orderPrefixOf } from './promised.js';
import { Scene } from './scene.js';
import { namesOf, type SuiteFault, type SuiteScenario } from './schema.js';
import { HaltWorkload } from './workload.js';

/** Orders behind the recovery, of which the error rate afterwards is taken. */
const AFTER_MS = 2_000;
/** Of the asked rate of orders, what must really have been attempted. */
const RATE_SHARE = 0.95;

const CARRIED: Readonly<Partial<Record<SuiteFault['kind'], Variant['fault']>>> = {
  revoke_beats: 'revoked-beats',
  block_loop: 'blocked-loop',
  step_clock: 'wall-step',
};

const NEEDS: Readonly<Partial<Record<SuiteFault['kind'], readonly CapabilityName[]>>> = {
  kill: ['signals', 'proc'],
  freeze: ['signals', 'proc'],
  partition: ['tcp-proxy', 'redis-server'],
  burn_cpu: ['cpu-load', 'proc'],
  take_memory: ['proc'],
  write_disk: ['proc'],
  roll_back_bus: ['redis-server'],
};

function variantsOf(faults: readonly SuiteFault[]): ReadonlyMap<string, Variant> {
  const named = new Map<string, Variant>();
  for (const fault of faults) {
    const carried = CARRIED[fault.kind];
    if (carried !== undefined && 'who' in fault) for (const name of fault.who) named.set(name, { fault: carried });
  }
  return named;
}

/** The evidence of some strategies alone. Nobody's: that of all. */
function narrowed(evidence: Evidence, prefixes: readonly string[]): Evidence {
  if (prefixes.length === 0) return evidence;
  const isTheirs = (id: string | undefined) => id === undefined || !id.startsWith('drill-') || prefixes.some((own) => id.startsWith(own));
  return {
    ...evidence,
    attempts: evidence.attempts.filter(({ value }) => isTheirs(value.clientOrderId)),
    events: evidence.events.filter((event) => !('clientOrderId' in event) || isTheirs(event.clientOrderId)),
  };
}

function failClosedOf({ must_hold: ids }: SuiteScenario, cutOff: readonly string[]): Pick<ChaosScenario, 'failClosed'> {
  if (ids.includes('L1')) return { failClosed: byPanic };
  if (!ids.includes('L4.outage')) return {};
  const { activatedAtMs, ...bound } = OUTAGE.failClosed;
  return { failClosed: { ...bound, activatedAtMs: (evidence) => activatedAtMs(narrowed(evidence, cutOff)) } };
}

/** Those that were cut off must stop and come back; the others have nothing to do with that. */
const ABOUT_THE_CUT_OFF = ['L4.outage', 'S7.return'];

/** To be played once: it remembers who played. */
export function composed(data: SuiteScenario): ChaosScenario {
  const cut = data.faults.find((fault) => fault.kind === 'partition');
  const cutOff: string[] = [];
  const ofTheCutOff =
    (judge: Judge): Judge =>
    (evidence) =>
      judge(narrowed(evidence, cutOff));
  const about = judgesOf(data.must_hold.filter((id) => ABOUT_THE_CUT_OFF.includes(id)));
  const others = judgesOf(data.must_hold.filter((id) => !ABOUT_THE_CUT_OFF.includes(id)));
  return {
    name: data.id,
    summary: data.summary,
    buses: data.buses,
    needs: [...new Set(data.faults.flatMap(({ kind }) => NEEDS[kind] ?? []).concat(data.cast.supervised ? ['proc'] : []))],
    named: variantsOf(data.faults),
    recoverWithinMs: data.recover_within_ms,
    ...(cut === undefined ? {} : { partition: 'strategy', cutOff: cut.who, cutMode: { kind: cut.mode } }),
    ...(data.faults.some(({ kind }) => kind === 'roll_back_bus') ? { strikesBus: true } : {}),
    panicDue: data.outcome === 'flat',
    mustFire: [...about.mustFire.map(ofTheCutOff), ...others.mustFire],
    mustNotFire: others.mustNotFire,
    ...failClosedOf(data, cutOff),
    sabotage: data.sabotage,
    run: async (stage) => {
      const scene = new Scene(stage, data.outcome === 'flat');
      await enter(scene, data);
      cutOff.push(...(cut?.who ?? []).map((name) => orderPrefixOf(scene, name)));
      await play(scene, data);
    },
  };
}

/** Everyone at work, orders flowing at the asked rate, and samples of how it is without a fault. */
async function enter(scene: Scene, { cast: asked, load, ...others }: SuiteScenario): Promise<void> {
  const { cast } = scene.conductor;
  const ordersPerS = (ORDERS_PER_S * load.rate) / load.strategies;
  const names = namesOf({ cast: asked, load, ...others });
  const supervised = asked.supervised ? await cast.supervised() : undefined;
  // The first of a role are the supervisor's, where there is one.
  const left = names.filter((name) => supervised?.names.includes(name) !== true && name !== 'venue');
  const start = (name: string) => {
    if (name.startsWith('exit-brain')) return cast.brain();
    if (name.startsWith('watchdog')) return cast.watchdog();
    return name.startsWith('exit-worker') ? cast.worker() : cast.strategy({ name, ordersPerS });
  };
  // Names are given in this order, before any of them has started.
  const started = await Promise.all(left.map(async (name) => [name, await start(name)] as const));
  for (const [name, child] of started) scene.plays(name, child);
  await scene.conductor.armAndTrade();
  if (supervised !== undefined) await scene.learn(supervised.supervisor, supervised.names);
  await scene.conductor.sleep(BEFORE_MS);
}

async function play(scene: Scene, data: SuiteScenario): Promise<void> {
  const strategies = namesOf(data).filter((name) => name.startsWith('strategy'));
  const prefixes = strategies.map((name) => orderPrefixOf(scene, name));
  const containment = data.blast_radius === undefined ? undefined : new Containment(scene, data.blast_radius, prefixes);
  const isCutOff = data.faults.some(({ kind }) => kind === 'partition');
  const workload = data.workload === undefined ? undefined : await HaltWorkload.open(scene, data.workload, { isCutOff });
  try {
    if (data.faults.length === 0) scene.ended(scene.began());
    const faults = Promise.all(data.faults.map((fault) => make(fault, scene))).finally(() => (scene.isOver = true));
    await Promise.all([faults, workload?.run(), containment?.watch(), recovers(scene, data, 'begin')]);
    rateDose(scene, data);
    quiet(scene, data);
    if (workload !== undefined) {
      await workload.panic();
      // What it recovers from ends with it.
      scene.ended();
    }
    if (data.outcome === 'flat') await settle(scene.conductor, unguarded(scene.conductor.timings));
    await bringBack(scene, data);
    await recovers(scene, data, 'end');
    if (data.outcome === 'trading') await scene.conductor.sleep(AFTER_MS);
    containment?.judge();
    if (workload !== undefined) await judgeHistory(scene, workload);
  } finally {
    await workload?.close();
  }
}

/** Counted from the begin of the first fault, the wait for it goes on beside the faults. */
async function recovers(scene: Scene, data: SuiteScenario, from: SuiteScenario['recover_from']): Promise<void> {
  if (data.recover_from !== from) return;
  if (from === 'begin') await scene.conductor.waitFor(30_000, () => scene.firstMs !== undefined);
  const fromMs = from === 'begin' ? scene.firstMs : scene.lastMs;
  scene.stage.endedMs = fromMs;
  await scene.stage.untilRecovered(() => isPromised(scene, data, fromMs ?? Infinity));
}

/** A brain that is not supervised has the operator to start it again, once the panic is over. */
async function bringBack(scene: Scene, { cast, outcome }: SuiteScenario): Promise<void> {
  if (cast.supervised || outcome !== 'flat') return;
  if (!scene.struck.some(({ name, isKilled }) => isKilled && name.startsWith('exit-brain'))) return;
  await scene.conductor.cast.brain();
  scene.ended();
}

function quiet({ conductor, firstMs, scale }: Scene, { quiet_ms: quietMs }: SuiteScenario): void {
  if (quietMs !== undefined && firstMs !== undefined) conductor.marks.quiet = { fromMs: firstMs, untilMs: firstMs + quietMs / scale };
}

/** Before the first fault, when nothing kept anyone from sending. */
function rateDose(scene: Scene, { load }: SuiteScenario): void {
  const { conductor, firstMs } = scene;
  if (firstMs === undefined || load.rate === 1) return;
  const fromMs = firstMs - BEFORE_MS;
  const attempts = conductor.attempts().filter(({ value }) => value.atMs >= fromMs && value.atMs < firstMs).length;
  scene.dose({
    what: `orders attempted before the first fault, ${load.rate} times the normal rate`,
    target: ORDERS_PER_S * load.rate * RATE_SHARE,
    measured: (attempts * 1_000) / BEFORE_MS,
    unit: 'a second',
  });
}
