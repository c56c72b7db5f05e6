/** Decides whether a fault that an administrator switched on strikes this request, and uses it up. */
import type { FaultSwitch } from '../../brokers/paper/wire.js';
import type { VenueState } from './state.js';

export type FaultName = 'rejects' | 'expireMarketOrders' | 'dropAnswers' | 'loseOrders' | 'readFailures';

function selected({ sources, symbols }: FaultSwitch, source: string, symbol: string | undefined): boolean {
  if (sources.length > 0 && !sources.includes(source)) return false;
  return symbols.length === 0 || (symbol !== undefined && symbols.includes(symbol));
}

/** True at most `next` times, and at each nth request of the selected sources and symbols. */
export function strikes(state: VenueState, name: FaultName, source: string, symbol: string | undefined): boolean {
  const fault = state.switches[name];
  if (!selected(fault, source, symbol)) return false;
  const count = (state.faultCounts.get(name) ?? 0) + 1;
  state.faultCounts.set(name, count);
  if (fault.next === 'all') return true;
  if (fault.next > 0) {
    state.switches = { ...state.switches, [name]: { ...fault, next: fault.next - 1 } };
    return true;
  }
  return fault.everyNth > 0 && count % fault.everyNth === 0;
}

/** True while every read of the selected sources fails. */
export function readsFailing(state: VenueState, source: string, nowMs: number): boolean {
  return nowMs < state.readFailuresUntilMs && selected({ ...state.switches.readFailures, symbols: [] }, source, undefined);
}

export function isClosed(state: VenueState, symbol: string): boolean {
  const { symbols } = state.switches.closedMarket;
  return symbols === 'all' || symbols.includes(symbol);
}
