/** Carries out one step of an exit at the venue and says what became of it. */
import { type Broker, BrokerRejectedError, type OrderReport, type OrderRequest, type WorkingOrder } from '../broker/broker.js';
import type { Clock } from '../clock.js';
import { callWithin } from '../deadline.js';
import { messageOf } from '../errors.js';

export type SubmitAnswer =
  | { readonly kind: 'report'; readonly report: OrderReport }
  | { readonly kind: 'rejected'; readonly reason: BrokerRejectedError['reason']; readonly detail: string }
  | { readonly kind: 'unknown'; readonly detail: string };

export type QueryAnswer =
  | { readonly kind: 'report'; readonly report: OrderReport }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'failed'; readonly detail: string };

export interface VenueCalls {
  submit(order: OrderRequest): Promise<SubmitAnswer>;
  query(symbol: string, clientOrderId: string): Promise<QueryAnswer>;
  /** True when the venue confirmed that this call ended the order; false when it had ended before, or nobody knows. */
  cancel(order: WorkingOrder): Promise<boolean>;
}

/** Bounded calls: each answers by its timeout, and no error reads as success. */
export function createVenueCalls(
  broker: Broker,
  clock: Clock,
  timeouts: { readonly readTimeoutMs: number; readonly brokerTimeoutMs: number },
): VenueCalls {
  async function bounded<T>(timeoutMs: number, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const answer = await callWithin(clock, call, timeoutMs);
    if (!answer.settled) throw new Error(`no answer within ${timeoutMs} ms`);
    return answer.value;
  }

  return {
    async submit(order) {
      try {
        return { kind: 'report', report: await bounded(timeouts.brokerTimeoutMs, (signal) => broker.submit(order, signal)) };
      } catch (error) {
        if (error instanceof BrokerRejectedError) return { kind: 'rejected', reason: error.reason, detail: error.message };
        return { kind: 'unknown', detail: messageOf(error) };
      }
    },
    async query(symbol, clientOrderId) {
      try {
        const answer = await bounded(timeouts.readTimeoutMs, (signal) => broker.orderByClientId(symbol, clientOrderId, signal));
        return answer.found ? { kind: 'report', report: answer.report } : { kind: 'not_found' };
      } catch (error) {
        return { kind: 'failed', detail: messageOf(error) };
      }
    },
    async cancel(order) {
      try {
        return (await bounded(timeouts.brokerTimeoutMs, (signal) => broker.cancel(order, signal))) === 'canceled';
      } catch {
        // Unknown: the next reading of the book says whether it still works.
        return false;
      }
    },
  };
}
