/** Sends an order whose intent is on disk first, asks the door again right before the call, and records how it ended. */
import { resolve } from 'node:path';
import type { Clock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import type { Submission } from '../admission.js';
import { doubt } from '../door.js';
import { type OrderRefusal, OrderRefusedError } from '../errors.js';
import type { IntentLogOption } from '../options.js';
import type { SubmissionOutcome } from '../protocol.js';
import type { Intent } from './intentFile.js';
import type { IntentLog } from './intentLog.js';

/** What the call was, and what its failure means. */
export interface LoggedCall<R> {
  /** Whether the order is another one than was let in: its caller may have written to it while its intent was kept. */
  readonly changed: () => boolean;
  /** Asks the door again, right before the call. */
  readonly refusal: () => OrderRefusal | undefined;
  readonly send: () => R;
  readonly outcomeOf: (error: unknown) => SubmissionOutcome;
}

export class LoggedSend<P extends readonly unknown[]> {
  readonly #options: IntentLogOption<P>;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #load: () => Promise<{ readonly IntentLog: typeof IntentLog }>;
  #log: Promise<IntentLog> | undefined;

  // Loaded when the first order comes: who keeps no intents loads nothing for it.
  constructor(options: IntentLogOption<P>, clock: Clock, load = () => import('./intentLog.js')) {
    this.#options = options;
    // What the process changes its directory to until then must not change where intents are kept.
    this.#directory = resolve(options.directory);
    this.#clock = clock;
    this.#load = load;
  }

  /** Rejects with {@link OrderRefusedError}, marked on the submission, where the order was not sent, and as the call itself does. */
  async send<R>(submission: Submission, args: P, call: LoggedCall<R>): Promise<Awaited<R>> {
    const refuse = (refusal: OrderRefusal): never => {
      submission.wasSent = false;
      throw new OrderRefusedError(refusal);
    };
    const { clientOrderId, symbol } = this.#namesOf(args);
    if (clientOrderId === undefined || clientOrderId === '') return refuse(inDoubt('the client order id of the order is not known'));
    const log = await this.#open().catch((error: unknown) => refuse(inDoubt(`the intent log cannot be loaded: ${messageOf(error)}`)));
    const { label, intent } = submission;
    const begun = await log.begin({ clientOrderId, symbol, label, intent });
    if (begun.kind === 'duplicate') return refuse(duplicate(clientOrderId));
    if (begun.kind === 'failed') return refuse(inDoubt(`the intent could not be kept: ${begun.detail}`));
    // From here to the call there is no await: the first answer may be stale by now, this one is not.
    const refusal = this.#refusalNow(log, begun.intent, args, call);
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

  // The caller's functions first: whatever they take or change, the clock and the door see it.
  #refusalNow<R>(log: IntentLog, kept: Intent, args: P, call: LoggedCall<R>): OrderRefusal | undefined {
    try {
      const { clientOrderId, symbol } = this.#namesOf(args);
      if (clientOrderId !== kept.clientOrderId || symbol !== kept.symbol || call.changed())
        return inDoubt('the order was changed while its intent was kept');
      return log.isTooOld(kept) ? inDoubt(`it took more than ${log.sendWithinMs} ms to keep the intent`) : call.refusal();
    } catch (error) {
      // A clock: nothing has been sent, and nobody can say how old the intent is.
      return inDoubt(`nobody can say whether the order may still be sent: ${messageOf(error)}`);
    }
  }

  #namesOf(args: P): { readonly clientOrderId: string | undefined; readonly symbol: string } {
    const { clientOrderId, symbol } = this.#options;
    return { clientOrderId: this.#textOf(clientOrderId, args), symbol: symbol === undefined ? '' : (this.#textOf(symbol, args) ?? '') };
  }

  async #open(): Promise<IntentLog> {
    this.#log ??= this.#load().then(({ IntentLog: Log }) => {
      const { sendWithinMs, logger } = this.#options;
      const given = { ...(sendWithinMs === undefined ? {} : { sendWithinMs }), ...(logger === undefined ? {} : { logger }) };
      return new Log(this.#directory, { clock: this.#clock, ...given });
    });
    // What could not be loaded may be later.
    this.#log.catch(() => (this.#log = undefined));
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
