/** The promises about what must happen, judged at the end: the faults have healed, and then the brain was killed for good. */
import { incidentId } from '../../messages/panicClose.js';
import { ACCOUNT } from '../world/ground.js';
import type { RunView } from './safety.js';
import type { Violation } from './violation.js';

/** L1, S6, S11: a dead brain with positions open ends in a panic. */
function panicCame({ witness }: RunView, endMs: number): Violation[] {
  return witness.panics.length > 0 ? [] : [{ promise: 'L1', atMs: endMs, detail: 'the brain is dead and nobody has panicked' }];
}

/** L2, L6: the book ends empty. */
function bookIsEmpty({ world }: RunView, endMs: number): Violation[] {
  const positions = world.venue.positions(ACCOUNT);
  const orders = world.venue.openOrders(ACCOUNT);
  if (positions.size + orders === 0) return [];
  const left = [...positions].map(([symbol, quantity]) => `${quantity} ${symbol}`).join(', ');
  return [{ promise: 'L2', atMs: endMs, detail: `at the end the books hold ${left || 'no position'} and ${orders} orders` }];
}

/** S6: every panic has an end that was recorded. */
function panicsAreAnswered({ witness }: RunView, endMs: number): Violation[] {
  const open = witness.panics.find(
    ({ panic }) =>
      panic.epoch === 1 && !witness.completions.some(({ completion }) => completion.incident === incidentId(ACCOUNT, panic.epoch)),
  );
  return open === undefined ? [] : [{ promise: 'S6', atMs: endMs, detail: `the panic of ${Math.round(open.atMs)} ms was never completed` }];
}

/** S7: trading ends stopped. */
function tradingIsStopped({ witness }: RunView, endMs: number): Violation[] {
  const mode = witness.states.at(-1)?.state.mode ?? 'ACTIVE';
  return mode === 'HALTED' ? [] : [{ promise: 'S7', atMs: endMs, detail: `after a panic trading is ${mode}` }];
}

/** S12: the halts that stand are in the record. */
function haltsAreRecorded({ witness }: RunView, endMs: number): Violation[] {
  const halts = witness.states.at(-1)?.state.halts ?? [];
  const recorded = JSON.stringify(witness.audit.map(({ entry }) => [entry.event, entry.incident, entry.details]));
  const silent = halts.find(({ id }) => !recorded.includes(id));
  return silent === undefined ? [] : [{ promise: 'S12', atMs: endMs, detail: `the halt ${silent.id} stands in no audit entry` }];
}

/** L7: people were told of the panic. */
function peopleWereTold({ world, witness }: RunView, endMs: number): Violation[] {
  const panicked = witness.panics.some(({ panic }) => panic.issuedBy === 'watchdog');
  const told = world.alerts.some(({ alert }) => alert.kind.startsWith('watchdog.panic') || alert.kind.startsWith('exit.'));
  return !panicked || told ? [] : [{ promise: 'L7', atMs: endMs, detail: 'nobody was told of the panic' }];
}

export const LIVENESS_ORACLES = [panicCame, bookIsEmpty, panicsAreAnswered, tradingIsStopped, haltsAreRecorded, peopleWereTold];
