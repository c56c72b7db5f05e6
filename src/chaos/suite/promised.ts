/** What a scenario of a suite recovers to, beyond what every scenario does: everyone who was struck is back, every strategy trades. */
import { isFlatAndHalted, isTradingAgain } from '../run/promisedState.js';
import type { Scene, Struck } from './scene.js';
import { namesOf, type SuiteScenario } from './schema.js';

function isBack({ conductor }: Scene, { name, isKilled, afterMs }: Struck): boolean {
  const { brainBeats, watchdogBeats, workerBeats } = conductor.sight;
  const peers = name.startsWith('watchdog') ? watchdogBeats : workerBeats;
  const beats = (name.startsWith('exit-brain') ? brainBeats : peers.filter(({ value }) => value.peerId === name)).map(
    ({ atMs, value }) => ({
      atMs,
      generation: value.generation,
    }),
  );
  const before = new Set(beats.filter(({ atMs }) => atMs <= afterMs).map(({ generation }) => generation));
  return beats.some(({ atMs, generation }) => atMs > afterMs && (!isKilled || !before.has(generation)));
}

/** Nobody starts a watchdog or a worker again that is not supervised: there is another one for that. */
const mustComeBack = ({ cast }: SuiteScenario, { name, isKilled }: Struck): boolean =>
  name !== 'venue' && !name.startsWith('strategy') && (!isKilled || cast.supervised || name.startsWith('exit-brain'));

export function isPromised(scene: Scene, data: SuiteScenario, sinceMs: number): boolean {
  if (!scene.isOver || !scene.struck.filter((one) => mustComeBack(data, one)).every((one) => isBack(scene, one))) return false;
  if (data.outcome === 'flat') return isFlatAndHalted(scene.conductor, sinceMs);
  const admitted = scene.conductor.attempts().filter(({ value }) => value.atMs > sinceMs && value.result === 'admitted');
  const own = namesOf(data).filter((name) => name.startsWith('strategy'));
  const isEveryone = own.every((name) => admitted.some(({ value }) => value.clientOrderId.startsWith(orderPrefixOf(scene, name))));
  return isEveryone && isTradingAgain(scene.conductor, sinceMs);
}

/** What the ids of a strategy's orders begin with. */
export const orderPrefixOf = (scene: Scene, name: string): string => `drill-${scene.pidOf(name)}-`;
