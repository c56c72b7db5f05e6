/** Decides which call is hit, and by what: from the seed, the target and the number of the call alone. */
import type { Random } from '../../random.js';
import type { ChaosSettings, FaultMenu } from './config.js';
import type { ChaosBehaviour, ChaosType } from './faultKinds.js';

export interface FaultPlan {
  readonly type: ChaosType;
  readonly behaviour: ChaosBehaviour;
  /** For what else has to be chosen: which error, how late. */
  readonly random: Random;
}

/**
 * `target` is the stream of chance of one target. Each call has a stream of its own, so that a fault which a limit holds back never
 * shifts those that come after it.
 */
export function drawFault(
  { failureRate, atCalls }: Pick<ChaosSettings, 'failureRate' | 'atCalls'>,
  menu: FaultMenu,
  target: Random,
  call: number,
): FaultPlan | undefined {
  const random = target.fork(String(call));
  const isHit = random.next() < failureRate;
  if (!(atCalls === undefined ? isHit : atCalls.has(call))) return undefined;
  const kind = menu[random.below(menu.length)];
  const behaviour = kind?.behaviours[random.below(kind.behaviours.length)];
  return kind === undefined || behaviour === undefined ? undefined : { type: kind.type, behaviour, random };
}
