/** Asks for the book to be closed: appends a panic, again and again until it surely stands on the bus. */
import { type AppendOutcome, type Bus, BusDoubtError, isCommitted } from '../bus/bus.js';
import { checkDurationMs, checkName, checkOneOf, checkText } from '../checks.js';
import { type Clock, systemClock } from '../clock.js';
import { encodePanicClose, firstSendKey, PANIC_CLOSE, PANIC_ISSUERS, type PanicClose, type PanicIssuer } from '../messages/panicClose.js';
import { TRADING_STATE } from '../messages/tradingState.js';
import { type Random, systemRandom } from '../random.js';
import { readTradingState } from '../tradingState/read.js';

export interface PanicRequest {
  readonly reason: string;
  /** In what capacity. Default `ops`. */
  readonly issuedBy?: PanicIssuer;
  /** Who exactly: goes into the record. */
  readonly by: string;
  /** The account to close. Default: every account that was registered when trading was armed. */
  readonly scope?: string;
}

export interface PanicDeps {
  readonly clock?: Clock;
  readonly random?: Random;
  /** How long to try. Default 10,000 ms. */
  readonly timeoutMs?: number;
}

export type PanicOutcome =
  | { readonly outcome: 'committed'; readonly eventId: string; readonly epoch: number }
  | { readonly outcome: 'unknown'; readonly eventId: string; readonly detail: string };

/** First pause between two tries; it doubles up to half a second. */
const RETRY_MS = 20;

/**
 * Never throws for want of a bus: `unknown` says that the panic may or may not stand, and that the caller must try
 * another way (`failflat panic --direct`). Throws {@link ConfigurationError} for wrong arguments.
 */
export async function panicClose(bus: Bus, request: PanicRequest, deps: PanicDeps = {}): Promise<PanicOutcome> {
  const { clock = systemClock, random = systemRandom } = deps;
  const timeoutMs = checkDurationMs('timeoutMs', deps.timeoutMs ?? 10_000, { min: 1 });
  checkText('reason', request.reason);
  checkText('by', request.by);
  const issuedBy = checkOneOf('issuedBy', request.issuedBy ?? 'ops', PANIC_ISSUERS);
  // No worker can have an account of another name, so nobody would ever carry it out.
  if (request.scope !== undefined) checkName('scope', request.scope);
  const eventId = random.id();
  const untilMs = clock.monotonicMs() + timeoutMs;
  const { scope, reason, by } = request;
  let detail = 'not tried';
  for (let pauseMs = RETRY_MS; clock.monotonicMs() < untilMs; pauseMs = Math.min(pauseMs * 2, 500)) {
    try {
      const epoch = await epochNow(bus);
      const panic: PanicClose = {
        eventId,
        reason,
        issuedBy,
        by,
        wallMs: clock.wallMs(),
        epoch,
        resend: 0,
        ...(scope === undefined ? {} : { scope }),
      };
      const sent = await bus.append(PANIC_CLOSE, encodePanicClose(panic), { idempotencyKey: `${firstSendKey(eventId)}/${epoch}` });
      if (stands(sent) && !(await isOver(bus, epoch))) return { outcome: 'committed', eventId, epoch };
      // A re-arm came in between: workers never carry out a panic of an epoch that is over, and this one is about today's book.
      if (stands(sent)) continue;
      detail = sent.outcome === 'committed' ? detail : sent.detail;
    } catch (error) {
      detail = String(error);
    }
    await clock.sleep(pauseMs);
  }
  return { outcome: 'unknown', eventId, detail };
}

/** A state that nobody can understand must not keep anyone from asking: what it still says of its epoch counts, as for a halt. */
async function epochNow(bus: Bus): Promise<number> {
  try {
    return (await readTradingState(bus)).state.epoch;
  } catch (error) {
    if (!(error instanceof BusDoubtError)) throw error;
  }
  try {
    const epoch = Number((await bus.latch(TRADING_STATE).get()).fields['epoch']);
    return Number.isSafeInteger(epoch) && epoch >= 0 ? epoch : 0;
  } catch (error) {
    if (error instanceof BusDoubtError) return 0;
    throw error;
  }
}

async function isOver(bus: Bus, epoch: number): Promise<boolean> {
  try {
    return (await epochNow(bus)) > epoch;
  } catch {
    // Contact was lost right after the panic stood: it is the worker's now.
    return false;
  }
}

function stands(sent: AppendOutcome): boolean {
  return isCommitted(sent) || (sent.outcome === 'refused' && sent.reason === 'duplicate');
}
