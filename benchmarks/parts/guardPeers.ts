/** The same trivial call behind failflat's guard and behind what people use today. */
import { BulkheadPolicy, ConsecutiveBreaker, circuitBreaker, handleAll, TimeoutStrategy, timeout, wrap } from 'cockatiel';
import CircuitBreaker from 'opossum';
import pLimit from 'p-limit';
import PQueue from 'p-queue';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { type GuardedSubmit, guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import type { DoorOptions } from '../../src/shutdownGate/options.js';
import type { Door } from './door.js';

export type Call = () => Promise<unknown>;
export type Send = () => Promise<number>;

/** A gate of its own, and behind it whichever of the permissions are given. */
export function gated(send: Send, permissions: Pick<DoorOptions, 'killSwitch' | 'lease' | 'breakers'>): GuardedSubmit<Send> {
  return guardOrderSubmission(send, { gate: createShutdownGate(), ...permissions });
}

/** All that may refuse: the switch, the lease and the breakers of the door. */
export function guarded(send: Send, { killSwitch, lease, breakers }: Door): GuardedSubmit<Send> {
  return gated(send, { killSwitch, lease, breakers });
}

/** What a careful person writes by hand: a flag, and a count that is right whatever happens. */
export function byHand(send: Send): Call {
  const state = { isShut: false, inflight: 0 };
  return async () => {
    if (state.isShut) throw new Error('shut');
    state.inflight += 1;
    try {
      return await send();
    } finally {
      state.inflight -= 1;
    }
  };
}

export function cockatielBreaker(send: Send): Call {
  const policy = circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(5) });
  return () => policy.execute(send);
}

export function cockatielThree(send: Send): Call {
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(5) });
  const policy = wrap(timeout(5_000, TimeoutStrategy.Cooperative), new BulkheadPolicy(100_000, 0), breaker);
  return () => policy.execute(send);
}

export function opossum(send: Send): Call {
  const breaker = new CircuitBreaker(send, { timeout: false, resetTimeout: 60_000 });
  return () => breaker.fire();
}

export function queued(send: Send): Call {
  const queue = new PQueue();
  return () => queue.add(send);
}

export function limited(send: Send): Call {
  const limit = pLimit(100_000);
  return () => limit(send);
}

/** Breakers that are open, so that they refuse. */
export async function openBreakers(): Promise<Readonly<Record<string, Call>>> {
  const fail: Send = () => Promise.reject(new Error('down'));
  const policy = circuitBreaker(handleAll, { halfOpenAfter: 600_000, breaker: new ConsecutiveBreaker(1) });
  await policy.execute(fail).catch(() => undefined);
  const breaker = new CircuitBreaker(fail, { timeout: false, resetTimeout: 600_000, volumeThreshold: 0, errorThresholdPercentage: 1 });
  await breaker.fire().catch(() => undefined);
  return { cockatiel: () => policy.execute(fail), opossum: () => breaker.fire() };
}
