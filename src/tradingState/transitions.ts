/** Decides what the trading state becomes: every change of it is one of these functions. */
import type { Halt, TradingState } from '../messages/tradingState.js';

/** Longer words are cut: the whole state must fit into one record. */
export const REASON_MAX_CHARACTERS = 300;
/** Half of a record: the other half is for the halts of exits, which are always kept one by one, and for names. */
const HALTS_MAX_BYTES = 32_768;
/** Stands for all halts that found no room of their own: a re-arm must name it like any other. */
export const FURTHER_HALTS = 'further-halts';

const cut = (text: string): string => (text.trim() === '' ? 'not said' : text.slice(0, REASON_MAX_CHARACTERS));

/** A halt as it is stored. */
export function boundedHalt(halt: Halt): Halt {
  return { ...halt, by: cut(halt.by), reason: cut(halt.reason) };
}

export function hasHalt(state: TradingState, haltId: string): boolean {
  return state.halts.some((halt) => halt.id === haltId);
}

// As they stand in a record: the list is a text of JSON within JSON.
const bytesOf = (halts: readonly Halt[]): number => Buffer.byteLength(JSON.stringify(JSON.stringify(halts)));

/** Adds a halt. The same halt twice is one halt, and those that find no room are one together. */
export function addHalt(state: TradingState, halt: Halt): TradingState {
  if (hasHalt(state, halt.id)) return state;
  if (halt.kind !== 'exit' && halt.id !== FURTHER_HALTS && bytesOf([...state.halts, boundedHalt(halt)]) > HALTS_MAX_BYTES) {
    const reason = `more halts than can be kept one by one: the audit names them; the first of them by ${cut(halt.by)}: ${cut(halt.reason)}`;
    return addHalt(state, { id: FURTHER_HALTS, kind: 'doubt', by: 'failflat', reason, sinceWallMs: halt.sinceWallMs });
  }
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
  /** See {@link TradingState.panicsUntilMs}. */
  readonly panicsUntilMs?: number | undefined;
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
    ...(armament.panicsUntilMs === undefined ? {} : { panicsUntilMs: armament.panicsUntilMs }),
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
