/** Decides whether an incident is over, and in which words: a plain function of readings, holders and the time. */
import type { BrokerCapabilities } from '../broker/broker.js';
import type { CompletionVerdict, EscalationVerdict, Residue } from '../messages/completion.js';
import { type Book, type LegKey, legKey } from './book.js';
import { isOutstanding, type Leg } from './legs.js';
import { type DrainView, isDust } from './plan.js';
import { isCapped, type UnclearAttempts } from './unclear.js';

export interface VerdictView {
  readonly nowMs: number;
  readonly startedMs: number;
  /** The reading of this round; absent where it failed. */
  readonly book: Book | undefined;
  /** When each reading was sent since the book was last seen with something to do in it. */
  readonly quietReadsMs: readonly number[];
  readonly legs: ReadonlyMap<LegKey, Leg>;
  readonly capabilities: BrokerCapabilities;
  readonly drain: DrainView;
  /** Since when, as asked before a reading, every holder had drained without a break. */
  readonly drainedSinceMs: number | undefined;
  readonly deadlineMs: number;
  /** Absent: every close that was sent before is among the legs. */
  readonly unclear?: UnclearAttempts | undefined;
  /** Readings closer together than this are one observation. */
  readonly confirmGapMs: number;
}

export type Judgement =
  | { readonly kind: 'continue' }
  | {
      readonly kind: 'completed';
      readonly verdict: CompletionVerdict;
      readonly silentHolders: readonly string[];
      readonly residue: readonly Residue[];
    }
  | {
      readonly kind: 'escalate';
      readonly verdict: EscalationVerdict;
      readonly silentHolders: readonly string[];
      readonly residue: readonly Residue[];
    };

/** What is said of an exit, on the bus and to people. */
export type Verdict = Exclude<Judgement, { kind: 'continue' }>;

export type JudgeExit = (view: VerdictView) => Judgement;

/** Rejected closes in a row after which a person is called. The worker goes on trying. */
const REJECTIONS_UNTIL_OPERATOR = 5;

export const judgeExit: JudgeExit = (view) => {
  const silentHolders = [...view.drain.silentHolders];
  const residue = view.book === undefined ? [] : residueOf(view, view.book);
  const { horizonMs } = view.drain;
  if (isConfirmedQuiet(view, horizonMs) && isQuietSinceUnclear(view)) {
    const proven = isQuietSinceDrained(view) || venueExpiryPassed(view);
    // The last holder has drained just now: what it sent may have filled after the readings that we have.
    if (!proven && silentHolders.length === 0) return { kind: 'continue' };
    if (!proven) return { kind: 'completed', verdict: 'flat_unconfirmed', silentHolders, residue };
    return { kind: 'completed', verdict: residue.length > 0 ? 'dust' : 'flat', silentHolders, residue };
  }
  const escalation = escalationOf(view);
  if (escalation === undefined) return { kind: 'continue' };
  const unclear = needsPerson(view) ? [{ symbol: '*', quantity: 0, why: view.unclear?.why ?? '' }] : [];
  return { kind: 'escalate', verdict: escalation, silentHolders, residue: [...residue, ...unclear] };
};

/** Nothing left to do: no working order, no close under way, and no position but dust. */
export function isQuiet(book: Book, legs: ReadonlyMap<LegKey, Leg>, capabilities: BrokerCapabilities): boolean {
  return (
    book.orders.length === 0 &&
    book.positions.every((position) => isDust(position, capabilities)) &&
    ![...legs.values()].some(isOutstanding)
  );
}

/** Two quiet readings, both asked for after `sinceMs` and far enough apart that the venue's own lag cannot hide a fill. */
function isConfirmedQuiet(view: VerdictView, sinceMs: number | undefined): boolean {
  if (sinceMs === undefined || view.book === undefined) return false;
  const valid = view.quietReadsMs.filter((sentMs) => sentMs >= sinceMs + view.capabilities.readLagMs);
  const first = valid[0];
  const last = valid.at(-1);
  if (first === undefined || last === undefined) return false;
  return valid.length >= 2 && last - first >= Math.max(view.confirmGapMs, view.capabilities.readLagMs);
}

/** Where the venue caps nothing, a close that nobody can read may still open a position of its own. */
function isQuietSinceUnclear(view: VerdictView): boolean {
  const { unclear, capabilities } = view;
  return unclear === undefined || capabilities.reduceOnly === 'enforced' || isConfirmedQuiet(view, unclear.untilMs);
}

/** What was sent before can be found neither by asking nor by waiting, and something is left that the venue would not cap. */
function needsPerson({ unclear, capabilities, book }: VerdictView): boolean {
  if (unclear?.untilMs !== Infinity) return false;
  if (capabilities.reduceOnly !== 'enforced') return true;
  return book?.positions.some((position) => !isDust(position, capabilities) && !isCapped(capabilities, position)) === true;
}

function isQuietSinceDrained(view: VerdictView): boolean {
  const { drain, drainedSinceMs } = view;
  if (drain.silentHolders.length > 0 || drain.horizonMs === undefined || drainedSinceMs === undefined) return false;
  return isConfirmedQuiet(view, Math.max(drain.horizonMs, drainedSinceMs));
}

/** Where the venue itself ends every order, silence of a holder stops mattering once its last possible order has ended. */
function venueExpiryPassed(view: VerdictView): boolean {
  const { orderExpiryMs, readLagMs } = view.capabilities;
  const { horizonMs } = view.drain;
  const lastMs = view.quietReadsMs.at(-1);
  if (orderExpiryMs === undefined || horizonMs === undefined || lastMs === undefined) return false;
  return lastMs >= horizonMs + orderExpiryMs + readLagMs;
}

function residueOf(view: VerdictView, book: Book): Residue[] {
  return book.positions.map((position) => ({
    symbol: position.symbol,
    quantity: position.quantity,
    why: isDust(position, view.capabilities)
      ? `below the smallest order of ${view.capabilities.minQuantity(position.symbol)}`
      : (view.legs.get(legKey(position))?.lastRejection ?? 'not closed yet'),
  }));
}

function escalationOf(view: VerdictView): EscalationVerdict | undefined {
  const legs = [...view.legs.values()];
  if (needsPerson(view)) return 'operator_needed';
  if (legs.some((leg) => isOutstanding(leg) && isUnresolvable(view, leg))) return 'operator_needed';
  if (legs.some((leg) => leg.lastRejection === 'market_closed' && leg.rejections > 0)) return 'market_closed';
  if (legs.some((leg) => leg.rejections >= REJECTIONS_UNTIL_OPERATOR)) return 'operator_needed';
  return view.nowMs - view.startedMs >= view.deadlineMs ? 'deadline_passed' : undefined;
}

/** Its fate can be found neither by asking nor by waiting, and the venue would not cap a second close. */
function isUnresolvable(view: VerdictView, leg: Leg): boolean {
  const { clientOrderIds, orderExpiryMs, reduceOnly } = view.capabilities;
  const asked = leg.last?.fate.kind === 'unknown' && leg.last.fate.notFound > 0;
  return asked && clientOrderIds !== 'forever' && orderExpiryMs === undefined && reduceOnly !== 'enforced';
}
