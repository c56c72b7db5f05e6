/** `system:state:trading`: the latched trading state, with its set of uncleared halts. */
import { type Decoded, decodeWith, encode, type Fields } from './fields.js';

export const TRADING_STATE = 'system:state:trading';

export const HALT_KINDS = ['manual', 'breaker', 'exit', 'doubt'] as const;
export type HaltKind = (typeof HALT_KINDS)[number];

export interface Halt {
  readonly id: string;
  readonly kind: HaltKind;
  readonly by: string;
  readonly reason: string;
  readonly sinceWallMs: number;
  /** Kind `exit`: the incident that asked for it. */
  readonly incident?: string;
  /** Kind `exit`: the panic that the incident began with. */
  readonly eventId?: string;
}

export type TradingMode = 'HALTED' | 'REDUCING' | 'ACTIVE';

export interface TradingState {
  /** Rises with each re-arm. 0: never armed. */
  readonly epoch: number;
  /** ACTIVE only while no halt is uncleared; HALTED whenever one is. */
  readonly mode: TradingMode;
  readonly halts: readonly Halt[];
  /** Accounts that were registered when this epoch was armed: the scope of a panic that names none. */
  readonly accounts: readonly string[];
  /** Exit brains that must beat since this epoch was armed. */
  readonly services: readonly string[];
  /** When the newest panic was written that was known when this epoch was armed: it, and what came before it, belongs to earlier epochs. */
  readonly panicsUntilMs?: number;
  readonly changedBy: string;
  readonly changedWallMs: number;
}

/** A state that was never written: a new system starts halted and is armed by a person. */
export const NEVER_ARMED: TradingState = {
  epoch: 0,
  mode: 'HALTED',
  halts: [],
  accounts: [],
  services: [],
  changedBy: 'nobody',
  changedWallMs: 0,
};

export function encodeTradingState(state: TradingState): Fields {
  const first = state.halts[0];
  return encode({
    epoch: state.epoch,
    mode: state.mode,
    halts: state.halts,
    accounts: state.accounts,
    services: state.services,
    panics_until: state.panicsUntilMs === undefined ? undefined : Math.round(state.panicsUntilMs),
    changed_by: state.changedBy,
    ts: Math.round(state.changedWallMs),
    // The names that consumers of the original wire format know: those of its worker, then those of its written schema.
    halted: state.mode === 'HALTED',
    reason: first?.reason,
    source: first?.by,
    event_id: first?.eventId ?? first?.incident,
    requires_manual_reset: state.mode === 'HALTED',
    halted_at: first === undefined ? undefined : Math.round(first.sinceWallMs),
    halted_by: first?.by,
    requires_manual_ack: state.mode === 'HALTED',
  });
}

export function isHalt(entry: unknown): entry is Halt {
  if (typeof entry !== 'object' || entry === null) return false;
  const halt = entry as Partial<Record<keyof Halt, unknown>>;
  return (
    typeof halt.id === 'string' &&
    HALT_KINDS.some((kind) => kind === halt.kind) &&
    typeof halt.by === 'string' &&
    typeof halt.reason === 'string' &&
    typeof halt.sinceWallMs === 'number' &&
    (halt.incident === undefined || typeof halt.incident === 'string') &&
    (halt.eventId === undefined || typeof halt.eventId === 'string')
  );
}

export function decodeTradingState(fields: Fields): Decoded<TradingState> {
  return decodeWith(fields, (reader) => {
    const mode = reader.oneOf('mode', ['HALTED', 'REDUCING', 'ACTIVE']);
    const halts = reader.json('halts');
    if (!Array.isArray(halts) || !halts.every(isHalt)) return reader.fail('halts: must be a list of halts');
    if (mode !== 'HALTED' && halts.length > 0) {
      return reader.fail(`mode = ${mode}: must be HALTED while a halt is uncleared`);
    }
    const panicsUntilMs = reader.optionalCount('panics_until');
    return {
      epoch: reader.count('epoch'),
      mode,
      halts,
      accounts: reader.texts('accounts'),
      services: reader.texts('services'),
      ...(panicsUntilMs === undefined ? {} : { panicsUntilMs }),
      changedBy: reader.text('changed_by'),
      changedWallMs: reader.count('ts'),
    };
  });
}
