/** Decides what the trading state becomes: every change of it is one of these functions. */
import type { Halt, TradingState } from '../messages/tradingState.js';

/** Longer words are cut: the whole state must fit into one record. */
export const REASON_MAX_CHARACTERS = 300;

const cut = (text: string): string => (text.trim() === '' ? 'not said' : text.slice(0, REASON_MAX_CHARACTERS));

/** A halt as it is stored. */
export function boundedHalt(halt: Halt): Halt {
  return { ...halt, by: cut(halt.by), reason: cut(halt.reason) };
}

export function hasHalt(state: TradingState, haltId: string): boolean {
  return state.halts.some((halt) => halt.id === haltId);
}

/** Adds a halt. The same halt twice is one halt. */
export function addHalt(state: TradingState, halt: Halt): TradingState {
  if (hasHalt(state, halt.id)) return state;
  return {
    ...state,
    mode: 'HALTED',
    halts: [...state.halts, boundedHalt(halt)],
    changedBy: cut(halt.by),
    changedWallMs: halt.sinceWallMs,
  };
}

export interface Armament {
  readonly clears: readonly string[];
  readonly accounts: readonly string[];
  readonly services: readonly string[];
  readonly by: string;
  readonly wallMs: number;
}

/** The first stage of a re-arm: a new epoch that may only reduce. A halt that is not among `clears` keeps it HALTED. */
export function armReducing(state: TradingState, armament: Armament): TradingState {
  const halts = state.halts.filter((halt) => !armament.clears.includes(halt.id));
  return {
    epoch: state.epoch + 1,
    mode: halts.length > 0 ? 'HALTED' : 'REDUCING',
    halts,
    accounts: [...armament.accounts],
    services: [...armament.services],
    changedBy: cut(armament.by),
    changedWallMs: armament.wallMs,
  };
}

/** The second stage. Only a REDUCING state without halts becomes ACTIVE; anything else stays what it is. */
export function activate(state: TradingState, by: string, wallMs: number): TradingState {
  if (state.mode !== 'REDUCING' || state.halts.length > 0) return state;
  return { ...state, mode: 'ACTIVE', changedBy: cut(by), changedWallMs: wallMs };
}

/** Takes risk down without a halt, for planned work: ACTIVE becomes REDUCING; HALTED stays HALTED. */
export function fallBackToReducing(state: TradingState, by: string, wallMs: number): TradingState {
  if (state.mode !== 'ACTIVE') return state;
  return { ...state, mode: 'REDUCING', changedBy: cut(by), changedWallMs: wallMs };
}
