/** Finds out by query what became of intents whose sender died, hung or was told nothing. */
import type { Broker, Query } from '../../broker/broker.js';
import { checkDurationMs } from '../../checks.js';
import { messageOf } from '../../errors.js';
import type { Intent } from './intentFile.js';
import type { IntentLog } from './intentLog.js';

export interface ReconcileOptions {
  /** Who does it, for the record. Default `reconcile`. */
  readonly by?: string;
  /**
   * How old an intent must be before "not found" means that it never arrived. Default: the log's `sendWithinMs` and the expiry
   * that the venue itself enforces; at a venue that enforces none "not found" stays unresolved, as a frozen venue or network
   * was seen to fill an order of a dead process long after every timeout.
   */
  readonly unseenAfterMs?: number;
  readonly signal?: AbortSignal;
}

export interface ReconcileReport {
  /** Found at the venue, in whatever state: it was sent. */
  readonly found: readonly Intent[];
  /** Surely never arrived. */
  readonly neverArrived: readonly Intent[];
  /** Nobody can say yet, and why: reconcile again. */
  readonly unresolved: readonly { readonly intent: Intent; readonly why: string }[];
  /** Files of the log that cannot be read. */
  readonly corrupt: readonly string[];
}

/** Asks the venue for each intent without an outcome. Sends nothing. Rejects where the log itself cannot be read. */
export async function reconcileIntents(log: IntentLog, broker: Broker, options: ReconcileOptions = {}): Promise<ReconcileReport> {
  const { by = 'reconcile', signal } = options;
  const { unresolved: intents, corrupt } = await log.read();
  const unseenAfterMs = intents.length === 0 ? undefined : await boundOf(log, broker, options);
  const report = { found: [] as Intent[], neverArrived: [] as Intent[], unresolved: [] as { intent: Intent; why: string }[], corrupt };
  for (const intent of intents) {
    const { clientOrderId, symbol } = intent;
    // The age is taken before the query: a late order could arrive behind an answer that was given before its time was up.
    const ageMs = log.ageMs(intent);
    let answer: Query;
    try {
      answer = await broker.orderByClientId(symbol, clientOrderId, signal);
    } catch (error) {
      report.unresolved.push({ intent, why: `the venue did not answer: ${messageOf(error)}` });
      continue;
    }
    if (answer.found) {
      await log.end(clientOrderId, 'acknowledged', by);
      report.found.push(intent);
    } else if (unseenAfterMs === undefined) {
      report.unresolved.push({ intent, why: 'not found, at a venue that promises no end to what may still arrive' });
    } else if (ageMs <= unseenAfterMs) {
      report.unresolved.push({ intent, why: `not found, but it may arrive until it is ${unseenAfterMs} ms old` });
    } else {
      await log.end(clientOrderId, 'refused', by);
      report.neverArrived.push(intent);
    }
  }
  return report;
}

async function boundOf(log: IntentLog, broker: Broker, { unseenAfterMs, signal }: ReconcileOptions): Promise<number | undefined> {
  if (unseenAfterMs !== undefined) return checkDurationMs('unseenAfterMs', unseenAfterMs, { min: 0 });
  const { orderExpiryMs, clientOrderIds, readLagMs } = await broker.capabilities(signal);
  // An id that can be found only while its order is open says nothing of one that filled.
  if (orderExpiryMs === undefined || clientOrderIds !== 'forever') return undefined;
  return log.sendWithinMs + orderExpiryMs + readLagMs;
}
