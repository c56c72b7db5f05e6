/** Carries out one fault around one call. */
import type { Clock } from '../../clock.js';
import type { FaultPlan } from './draw.js';
import { failureOf, noAnswer } from './faultKinds.js';

/** Whether the call had had its effect when it failed. */
export type Effect = 'none' | 'done';

/** What a fault needs to know of the call that it hits. */
export interface CallUnderFault<R> {
  readonly target: string;
  readonly invoke: () => Promise<R>;
  /** How the target tells of a failure: most throw it. */
  readonly fail: (error: Error, effect: Effect) => R;
  /** What the target answers for behaviour `outcome`. */
  readonly outcome: (() => R) | undefined;
  /** How long a hang lasts here. */
  readonly hangMs: number;
  readonly latencyMs: number;
  /** Resolves with true as soon as a later call of the target has been made, with false after so long. */
  readonly overtaken: (withinMs: number) => Promise<boolean>;
}

export interface FaultContext {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Ends every wait. */
  readonly signal: AbortSignal;
  /** The fault has taken place. `told`: what the caller is told. */
  readonly struck: (told?: string) => void;
  /** Goes on after the caller has its answer. */
  readonly track: (work: Promise<unknown>) => void;
}

export async function carryOut<R>({ type, behaviour, random }: FaultPlan, call: CallUnderFault<R>, context: FaultContext): Promise<R> {
  const { clock, signal, struck } = context;
  const delayMs = (call.latencyMs * (1 + random.next())) / 2;
  const lost = (effect: Effect): R => {
    const error = noAnswer(type, call.target);
    if (effect === 'done') struck(error.message);
    return call.fail(error, effect);
  };
  switch (behaviour) {
    case 'error': {
      const error = failureOf(type, call.target, random);
      struck(error.message);
      return call.fail(error, 'none');
    }
    case 'latency':
      await clock.sleep(delayMs, signal);
      struck();
      return call.invoke();
    case 'outcome':
      if (call.outcome === undefined) return call.invoke();
      struck();
      return call.outcome();
    case 'hang':
      struck();
      await clock.sleep(call.hangMs, signal);
      return lost('none');
    case 'effect-then-timeout':
      await call.invoke();
      return lost('done');
    case 'duplicate':
      return twice(call, context);
    case 'reorder':
      if (await call.overtaken(delayMs)) struck();
      return call.invoke();
  }
}

async function twice<R>({ invoke }: CallUnderFault<R>, { struck, track }: FaultContext): Promise<R> {
  const answer = await invoke();
  // Nobody hears how the second one ends: its answer, too, goes to a caller who has one already.
  const ended = () => struck();
  track(invoke().then(ended, ended));
  return answer;
}
