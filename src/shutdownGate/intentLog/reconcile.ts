/** Finds out by query what became of intents whose sender died, hung or was told nothing. */
import type { Broker } from '../../broker/broker.js';
import { checkDurationMs } from '../../checks.js';
import type { Clock } from '../../clock.js';
import { callWithin } from '../../deadline.js';
import { messageOf } from '../../errors.js';
import type { Intent } from './intentFile.js';
import type { IntentLog } from './intentLog.js';

export interface ReconcileOptions {
  /** Who does it, for the record. Default `reconcile`. */
  readonly by?: string;
  /**
   * How old an intent must be before "not found" means that it never arrived; never less than the time within which its writer may
   * send it. Default: that time and the expiry that the venue itself enforces; at a venue that enforces none "not found" stays unresolved, as a frozen venue or network
   * was seen to fill an order of a dead process long after every timeout.
   */
  readonly unseenAfterMs?: number;
  /** So long the venue may take for each answer. Default 5,000 ms. */
  readonly queryTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_QUERY_TIMEOUT_MS = 5_000;

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
  const { by = 'reconcile', unseenAfterMs } = options;
  const within = boundedBy(log.clock, options);
  if (unseenAfterMs !== undefined) checkDurationMs('unseenAfterMs', unseenAfterMs, { min: 0 });
  const { unresolved: intents, corrupt } = await log.read();
  const arrival = unseenAfterMs === undefined && intents.length > 0 ? await arrivalAt(broker, within) : {};
  const report = { found: [] as Intent[], neverArrived: [] as Intent[], unresolved: [] as { intent: Intent; why: string }[], corrupt };
  for (const intent of intents) {
    // The age is taken before the query: a late order could arrive behind an answer that was given before its time was up.
    const ageMs = log.ageMs(intent);
    const answer = await ask(broker, intent, within);
    const why = answer.why ?? (answer.found ? undefined : whyInDoubt(ageMs, boundOf(log, intent, arrival, unseenAfterMs)));
    if (why !== undefined) {
      report.unresolved.push({ intent, why });
      continue;
    }
    await log.end(intent.clientOrderId, answer.found ? 'acknowledged' : 'refused', by);
    (answer.found ? report.found : report.neverArrived).push(intent);
  }
  return report;
}

type Answer = { readonly found: boolean; readonly why?: undefined } | { readonly found?: undefined; readonly why: string };

/** Asks the venue, and gives up after a while: one question that hangs holds up no other. */
type Bounded = <T>(question: (signal: AbortSignal) => Promise<T>) => Promise<T>;

function boundedBy(clock: Clock, { queryTimeoutMs, signal }: ReconcileOptions): Bounded {
  const timeoutMs = checkDurationMs('queryTimeoutMs', queryTimeoutMs ?? DEFAULT_QUERY_TIMEOUT_MS, { min: 1 });
  return async (question) => {
    const both = (giveUp: AbortSignal) => question(signal === undefined ? giveUp : AbortSignal.any([giveUp, signal]));
    const answer = await callWithin(clock, both, timeoutMs);
    if (!answer.settled) throw new Error(`it took more than ${timeoutMs} ms`);
    return answer.value;
  };
}

async function ask(broker: Broker, { symbol, clientOrderId }: Intent, within: Bounded): Promise<Answer> {
  try {
    const answer: unknown = await within((signal) => broker.orderByClientId(symbol, clientOrderId, signal));
    const found: unknown = typeof answer === 'object' && answer !== null && 'found' in answer ? answer.found : undefined;
    // An answer by halves is none: least of all does it say that an order never arrived.
    return typeof found === 'boolean' ? { found } : { why: 'the answer of the venue says neither that it was found nor that it was not' };
  } catch (error) {
    return { why: `the venue did not answer: ${messageOf(error)}` };
  }
}

/** What the venue says of itself: how long after it was sent an order may arrive and then be seen. */
interface Arrival {
  readonly withinMs?: number;
  /** Why it is not known. */
  readonly why?: string;
}

async function arrivalAt(broker: Broker, within: Bounded): Promise<Arrival> {
  try {
    const { orderExpiryMs, clientOrderIds, readLagMs } = await within((signal) => broker.capabilities(signal));
    // An id that can be found only while its order is open says nothing of one that filled.
    return isDuration(orderExpiryMs) && isDuration(readLagMs) && clientOrderIds === 'forever'
      ? { withinMs: orderExpiryMs + readLagMs }
      : { why: 'not found, at a venue that promises no end to what may still arrive' };
  } catch (error) {
    return { why: `not found, and the venue did not say until when it may arrive: ${messageOf(error)}` };
  }
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

/** How old an intent must be before "not found" means never; whatever anybody says, not while its own writer may send it still. */
function boundOf(log: IntentLog, intent: Intent, { withinMs, why = '' }: Arrival, unseenAfterMs: number | undefined): number | string {
  const sendWithinMs = Math.max(log.sendWithinMs, intent.sendWithinMs ?? 0);
  if (unseenAfterMs !== undefined) return Math.max(unseenAfterMs, sendWithinMs);
  return withinMs === undefined ? why : sendWithinMs + withinMs;
}

function whyInDoubt(ageMs: number, bound: number | string): string | undefined {
  if (typeof bound === 'string') return bound;
  // Written so that an age that is no number is doubt.
  return ageMs > bound ? undefined : `not found, but it may arrive until it is ${bound} ms old`;
}
