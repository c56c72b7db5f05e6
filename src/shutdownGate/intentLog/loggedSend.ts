/** Sends an order whose intent is on disk first, asks the door again right before the call, and records how it ended. */
import type { Clock } from '../../clock.js';
import type { Submission } from '../admission.js';
import { doubt } from '../door.js';
import { type OrderRefusal, OrderRefusedError } from '../errors.js';
import type { IntentLogOption } from '../options.js';
import type { SubmissionOutcome } from '../protocol.js';
import type { IntentLog } from './intentLog.js';

/** What the call was, and what its failure means. */
export interface LoggedCall<R> {
  /** Asks the door again, right before the call. */
  readonly refusal: () => OrderRefusal | undefined;
  readonly send: () => R;
  readonly outcomeOf: (error: unknown) => SubmissionOutcome;
}

export class LoggedSend<P extends readonly unknown[]> {
  readonly #options: IntentLogOption<P>;
  readonly #clock: Clock;
  #log: Promise<IntentLog> | undefined;

  constructor(options: IntentLogOption<P>, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Rejects with {@link OrderRefusedError}, marked on the submission, where the order was not sent, and as the call itself does. */
  async send<R>(submission: Submission, args: P, call: LoggedCall<R>): Promise<Awaited<R>> {
    const refuse = (refusal: OrderRefusal): never => {
      submission.wasSent = false;
      throw new OrderRefusedError(refusal);
    };
    const clientOrderId = this.#textOf(this.#options.clientOrderId, args);
    if (clientOrderId === undefined || clientOrderId === '') return refuse(inDoubt('the client order id of the order is not known'));
    const log = await this.#open();
    const { label, intent } = submission;
    const symbol = this.#options.symbol === undefined ? '' : (this.#textOf(this.#options.symbol, args) ?? '');
    const begun = await log.begin({ clientOrderId, symbol, label, intent });
    if (begun.kind === 'duplicate') return refuse(duplicate(clientOrderId));
    if (begun.kind === 'failed') return refuse(inDoubt(`the intent could not be kept: ${begun.detail}`));
    // From here to the call there is no await: the first answer may be stale by now, this one is not.
    const refusal = log.isTooOld(begun.intent) ? inDoubt(`it took more than ${log.sendWithinMs} ms to keep the intent`) : call.refusal();
    if (refusal !== undefined) {
      await log.end(clientOrderId, 'refused', 'guard');
      return refuse(refusal);
    }
    try {
      const value = await call.send();
      await log.end(clientOrderId, 'acknowledged', 'guard');
      return value;
    } catch (error) {
      await log.end(clientOrderId, call.outcomeOf(error), 'guard');
      throw error;
    }
  }

  // Loaded when the first order comes: who keeps no intents loads nothing for it.
  #open(): Promise<IntentLog> {
    const { directory, sendWithinMs } = this.#options;
    this.#log ??= import('./intentLog.js').then(
      (module) => new module.IntentLog(directory, { clock: this.#clock, ...(sendWithinMs === undefined ? {} : { sendWithinMs }) }),
    );
    return this.#log;
  }

  #textOf(read: (...args: P) => string, args: P): string | undefined {
    try {
      const text: unknown = read(...args);
      return typeof text === 'string' ? text : undefined;
    } catch {
      // Without its id an order is refused, whatever the reason.
      return undefined;
    }
  }
}

function inDoubt(reason: string): OrderRefusal {
  return doubt('intent_log', reason);
}

function duplicate(clientOrderId: string): OrderRefusal {
  const reason = `${clientOrderId} was to be sent before: ask the venue what became of it`;
  return { code: 'duplicate_client_order_id', source: 'intent_log', reason };
}
