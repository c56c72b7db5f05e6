/** Changes switches and seeds positions. */
import type { z } from 'zod';
import type { seedRequest, switchesPatch } from '../../brokers/paper/wire.js';
import { ConfigurationError } from '../../errors.js';
import { activate } from './execution.js';
import { isClosed } from './faults.js';
import { positionUnits, record, setPosition } from './record.js';
import { openAccount, type VenueState } from './state.js';
import { fromUnits, toUnits } from './units.js';

function requireModeFits(state: VenueState, patch: z.output<typeof switchesPatch>): void {
  if (patch.positionMode === undefined || patch.positionMode === state.switches.positionMode) return;
  for (const account of state.accounts.values()) {
    if (account.positions.size > 0 || account.open.size > 0) {
      throw new ConfigurationError(
        'positionMode',
        patch.positionMode,
        `must stay ${state.switches.positionMode} while account ${account.name} is not flat`,
      );
    }
  }
}

/** Each switch that is named is replaced as a whole; the others stay. Throws a ConfigurationError where one cannot hold now. */
export function patchSwitches(state: VenueState, patch: z.output<typeof switchesPatch>, nowMs: number): void {
  requireModeFits(state, patch);
  const named = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
  state.switches = { ...state.switches, ...named };
  if (patch.readFailures !== undefined) state.readFailuresUntilMs = nowMs + patch.readFailures.forMs;
  for (const name of Object.keys(named)) state.faultCounts.delete(name);
  record(state, nowMs, { kind: 'switched', names: Object.keys(named), frozen: state.switches.frozen });
  if (patch.closedMarket !== undefined) releaseQueued(state, nowMs);
}

function releaseQueued(state: VenueState, nowMs: number): void {
  for (const account of state.accounts.values()) {
    for (const orderId of account.open) {
      const order = account.orders.get(orderId);
      if (order?.phase === 'queued' && !isClosed(state, order.symbol)) activate(state, account, order, nowMs);
    }
  }
}

export function seedPositions(state: VenueState, request: z.output<typeof seedRequest>, nowMs: number): void {
  const hedged = state.switches.positionMode === 'hedge';
  for (const [index, { positionSide, quantity }] of request.positions.entries()) {
    const field = `positions.${index}.positionSide`;
    if (hedged === (positionSide === 'net')) {
      throw new ConfigurationError(field, positionSide, hedged ? 'must be long or short in hedge mode' : 'must be net in one-way mode');
    }
    if ((positionSide === 'long' && quantity < 0) || (positionSide === 'short' && quantity > 0)) {
      throw new ConfigurationError(`positions.${index}.quantity`, quantity, `must have the sign of its side, ${positionSide}`);
    }
  }
  const account = openAccount(state, request.account);
  for (const { symbol, positionSide, quantity } of request.positions) {
    const units = toUnits(quantity);
    const positionBefore = fromUnits(positionUnits(account, symbol, positionSide));
    setPosition(state, account, { symbol, positionSide, units }, nowMs);
    record(state, nowMs, { kind: 'seeded', account: account.name, symbol, positionSide, positionBefore, positionAfter: fromUnits(units) });
  }
}
