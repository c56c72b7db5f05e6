/** Reads the trading state, and says so where it cannot be understood. */
import { type Bus, BusDoubtError, type LatchValue } from '../bus/bus.js';
import { decodeTradingState, NEVER_ARMED, TRADING_STATE, type TradingState } from '../messages/tradingState.js';

export interface StateReading {
  readonly state: TradingState;
  /** 0: never written. */
  readonly version: number;
  /** The reader's monotonic clock when the read was sent. */
  readonly sentMs: number;
}

export type BusWithLatch = Pick<Bus, 'latch'>;

/** Throws {@link BusDoubtError} where the value cannot be understood. */
export function stateOf(value: LatchValue): StateReading {
  if (value.version === 0) return { state: NEVER_ARMED, version: 0, sentMs: value.sentMs };
  const decoded = decodeTradingState(value.fields);
  if (!decoded.ok) throw new BusDoubtError(`${TRADING_STATE} cannot be understood: ${decoded.problem}`);
  return { state: decoded.value, version: value.version, sentMs: value.sentMs };
}

/** A missing state is {@link NEVER_ARMED}. Throws BusUnavailableError without contact, {@link BusDoubtError} where it cannot be understood. */
export async function readTradingState(bus: BusWithLatch): Promise<StateReading> {
  return stateOf(await bus.latch(TRADING_STATE).get());
}
