/** Decides what a worker does with a panic that reaches it: a plain function of the panic and the trading state. */
import { incidentId, type PanicClose } from '../messages/panicClose.js';
import type { TradingState } from '../messages/tradingState.js';

export type PanicDecision =
  | { readonly kind: 'execute'; readonly incident: string; readonly epoch: number }
  /** Another account's worker has it. */
  | { readonly kind: 'other_account' }
  /** Superseded by a re-arm: audited and alarmed, never executed on today's book. */
  | { readonly kind: 'stale_epoch'; readonly currentEpoch: number };

export interface IntakeView {
  readonly panic: PanicClose;
  readonly state: TradingState;
  readonly account: string;
  readonly wallMs: number;
}

export type JudgePanic = (view: IntakeView) => PanicDecision;

/** A panic without scope is for every account that was registered when trading was armed. Age never drops a panic. */
export const judgePanic: JudgePanic = ({ panic, state, account }) => {
  // Which accounts belong to an epoch that we have not seen is not known: then it is ours, too.
  const known = state.accounts.length > 0 && panic.epoch <= state.epoch;
  const meant = panic.scope === undefined ? !known || state.accounts.includes(account) : panic.scope === account;
  if (!meant) return { kind: 'other_account' };
  if (panic.epoch < state.epoch) return { kind: 'stale_epoch', currentEpoch: state.epoch };
  // An epoch that we have not seen yet means that our view is old, not that the panic is wrong.
  return { kind: 'execute', incident: incidentId(account, panic.epoch), epoch: panic.epoch };
};
