/** Guards with one safeguard gone, each as people have written it: the model must tell every one of them from the intact guard. */

import { firstRefusal } from '../../src/shutdownGate/door.js';
import { OrderOutcomeUnknownError } from '../../src/shutdownGate/errors.js';
import { type Admission, guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import type { GuardOptions } from '../../src/shutdownGate/options.js';
import { LEASE_MS, type MakeSubmit, type Order, type Send } from './doorModel.js';

/** Asks first and enters later: whatever happens between the two is not heard. */
const checkOutside: MakeSubmit = (send, options) => {
  const { gate, killSwitch, lease, breakers, permissions = [], ...rest } = options;
  const asked = [killSwitch, lease, breakers, ...permissions].filter((permission) => permission !== undefined);
  const inner = guardOrderSubmission(send, { ...rest, ...(gate === undefined ? {} : { gate }) });
  return {
    trySubmit(order): Admission<string> {
      const nowMs = gate?.clock.monotonicMs() ?? 0;
      const refusal = order.intent === 'cancel' ? undefined : firstRefusal(asked, { nowMs, intent: order.intent });
      if (refusal !== undefined) return { ok: false, ...refusal };
      const outcome = Promise.resolve().then(() => inner(order));
      outcome.catch(() => undefined);
      return { ok: true, entryId: 0, outcome };
    },
  };
};

/** The caller's timeout frees the slot, as circuit breakers do. */
const slotFreedOnTimeout: MakeSubmit = (send, options) => {
  const { gate, submissionTimeoutMs, ...rest } = options;
  if (gate === undefined || submissionTimeoutMs === undefined) return guardOrderSubmission(send, options);
  const freeing: Send = (order) => {
    const call = send(order);
    return new Promise((resolve, reject) => {
      call.then(resolve, reject);
      gate.clock.setTimer(submissionTimeoutMs, () => {
        const settled = call.then(
          (value) => ({ outcome: 'acknowledged', value }) as const,
          (error: unknown) => ({ outcome: 'unknown', error }) as const,
        );
        reject(new OrderOutcomeUnknownError({ entryId: 0, label: order.id, ageMs: submissionTimeoutMs, settled }));
      });
    });
  };
  return guardOrderSubmission(freeing, { ...rest, gate });
};

/** The listener is called on the way of the result: one that throws makes a filled order look rejected. */
const listenerInside: MakeSubmit = (send, { observe, ...options }) => {
  const listening: Send = async (order) => {
    const value = await send(order);
    observe?.({ type: 'settled', entryId: 0, label: order.id, ageMs: 0, settled: { outcome: 'acknowledged', value } });
    return value;
  };
  return guardOrderSubmission(listening, options);
};

/** A flag that a timer lowers stands for the lease: after a stall the order comes before the timer. */
const flagNotLease: MakeSubmit = (send, options) => {
  const { lease, gate } = options;
  if (lease === undefined || gate === undefined) throw new Error('the schedule has both');
  const { clock } = gate;
  let isHeld = false;
  const look = (): void => {
    isHeld = lease.check(clock.monotonicMs(), 'increase') === undefined;
    clock.setTimer(LEASE_MS / 10, look);
  };
  look();
  const flag: GuardOptions<[Order]> = {
    ...options,
    lease: { name: 'lease', check: (nowMs, intent) => (isHeld ? undefined : lease.check(nowMs, intent)) },
  };
  return guardOrderSubmission(send, flag);
};

export const MUTANTS: Readonly<Record<string, MakeSubmit>> = {
  'its check outside the admission': checkOutside,
  'a slot that its timeout frees': slotFreedOnTimeout,
  'its listener on the way of the result': listenerInside,
  'a flag instead of the lease': flagNotLease,
};
