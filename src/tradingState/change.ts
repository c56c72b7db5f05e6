/** Changes the trading state by compare-and-set until it surely holds, or the time is up. */
import { BusDoubtError, type LatchValue } from '../bus/bus.js';
import { type Clock, systemClock } from '../clock.js';
import { settleWithin } from '../deadline.js';
import { messageOf } from '../errors.js';
import { encodeTradingState, TRADING_STATE, type TradingState } from '../messages/tradingState.js';
import { HALT_TIMEOUT_MS, STATE_RETRY_MS } from './options.js';
import { type BusWithLatch, type StateReading, stateOf } from './read.js';

export type ChangeOutcome =
  | {
      readonly outcome: 'committed';
      readonly state: TradingState;
      readonly version: number;
      readonly changed: boolean;
      /** One master alone holds it, and why. */
      readonly unreplicated?: string;
    }
  | { readonly outcome: 'declined'; readonly state: TradingState; readonly version: number }
  | { readonly outcome: 'unknown'; readonly detail: string };

/**
 * What one attempt should do with what was read: write a new state, accept that it holds already, or decline (the state has
 * moved on and the change makes no sense any more).
 */
export type Attempt = { readonly write: TradingState } | { readonly done: true } | { readonly declined: true };

export interface ChangeDeps {
  readonly clock?: Clock;
  readonly timeoutMs?: number;
  readonly retryMs?: number;
  /** Makes a state of a value that cannot be understood; without it such a value is tried again until the time is up. */
  readonly salvage?: (value: LatchValue) => TradingState | undefined;
}

const sameState = (left: TradingState, right: TradingState): boolean =>
  JSON.stringify(encodeTradingState(left)) === JSON.stringify(encodeTradingState(right));

function readingOf(value: LatchValue, salvage: ChangeDeps['salvage']): StateReading {
  try {
    return stateOf(value);
  } catch (error) {
    const salvaged = error instanceof BusDoubtError ? salvage?.(value) : undefined;
    if (salvaged === undefined) throw error;
    return { state: salvaged, version: value.version, sentMs: value.sentMs };
  }
}

/** Never throws. Each attempt starts from a fresh read: a conflict or an unknown outcome is never taken for success. */
export async function changeState(
  bus: BusWithLatch,
  attempt: (reading: StateReading) => Attempt,
  deps: ChangeDeps,
): Promise<ChangeOutcome> {
  const { clock = systemClock, timeoutMs = HALT_TIMEOUT_MS, retryMs = STATE_RETRY_MS, salvage } = deps;
  const untilMs = clock.monotonicMs() + timeoutMs;
  let unsure: { readonly version: number; readonly state: TradingState } | undefined;
  let detail = 'no attempt was made';

  const once = async (): Promise<ChangeOutcome | 'again' | 'later'> => {
    const latch = bus.latch(TRADING_STATE);
    const reading = readingOf(await latch.get(), salvage);
    // An attempt without an answer may have been written all the same: what it wrote then stands under the next version.
    if (unsure !== undefined && reading.version === unsure.version && sameState(reading.state, unsure.state)) {
      return { outcome: 'committed', state: reading.state, version: reading.version, changed: true };
    }
    const next = attempt(reading);
    if ('declined' in next) return { outcome: 'declined', state: reading.state, version: reading.version };
    if ('done' in next) return { outcome: 'committed', state: reading.state, version: reading.version, changed: unsure !== undefined };
    const set = await latch.compareAndSet(reading.version, encodeTradingState(next.write));
    if (set.outcome === 'committed') {
      const alone = set.unreplicated === undefined ? {} : { unreplicated: set.unreplicated };
      return { outcome: 'committed', state: next.write, version: set.version, changed: true, ...alone };
    }
    if (set.outcome === 'unknown') unsure = { version: reading.version + 1, state: next.write };
    detail = set.outcome === 'conflict' ? 'others kept changing the state' : `${set.outcome}: ${set.detail}`;
    return set.outcome === 'conflict' ? 'again' : 'later';
  };

  for (let leftMs = timeoutMs; leftMs > 0; leftMs = untilMs - clock.monotonicMs()) {
    try {
      const result = await settleWithin(clock, once(), leftMs);
      if (!result.settled) break;
      if (typeof result.value === 'object') return result.value;
      if (result.value === 'again') continue;
    } catch (error) {
      detail = messageOf(error);
    }
    await clock.sleep(Math.max(0, Math.min(retryMs, untilMs - clock.monotonicMs())));
  }
  return { outcome: 'unknown', detail: `not committed within ${timeoutMs} ms: ${detail}` };
}
