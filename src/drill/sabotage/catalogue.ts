/** Which safeguard each sabotage removes, the fault that reveals it, and the check that must go red. */
import { ConfigurationError } from '../../errors.js';
import type { ActorRole } from '../actors/order.js';
import type { Fault, Kill } from '../options.js';

export interface Sabotage {
  readonly name: string;
  readonly role: ActorRole;
  /** What the system lacks under it. */
  readonly removes: string;
  readonly reveal: { readonly kill: Kill } | { readonly fault: Fault };
  /** The check that is meant for it: it must fail, on evidence. */
  readonly red: string;
  /** What follows from the same hole and may fail with it; every other check must stay green or lack evidence. */
  readonly consequences: readonly string[];
}

export const SABOTAGES: readonly Sabotage[] = [
  { name: 'no-watchdog', role: 'watchdog', removes: 'anyone who accuses', reveal: { kill: 'brain' }, red: 'L1', consequences: [] },
  { name: 'no-worker', role: 'exit-worker', removes: 'anyone who closes', reveal: { kill: 'brain' }, red: 'S6', consequences: ['L2'] },
  {
    name: 'read-error-as-zero',
    role: 'exit-worker',
    removes: 'the difference between "could not read" and "nothing there"',
    reveal: { fault: 'read-failures' },
    red: 'S5',
    consequences: ['S5.horizon'],
  },
  {
    name: 'halt-last',
    role: 'exit-worker',
    removes: 'the halt before the first close',
    reveal: { kill: 'brain' },
    red: 'S1.halt-first',
    // The strategy goes on opening what the exit closes.
    consequences: ['S4', 'S5', 'S5.horizon', 'L2', 'L2.flat'],
  },
  {
    name: 'no-cancel',
    role: 'exit-worker',
    removes: 'the cancelling of working orders',
    reveal: { kill: 'brain' },
    red: 'S5',
    consequences: ['S5.horizon', 'L2'],
  },
  {
    name: 'accepted-is-closed',
    role: 'exit-worker',
    removes: 'the look at what became of an accepted close',
    reveal: { fault: 'expired-closes' },
    red: 'S5',
    consequences: ['S5.horizon'],
  },
  {
    name: 'ack-before-done',
    role: 'exit-worker',
    removes: 'the acknowledgement after the completion',
    reveal: { kill: 'worker' },
    red: 'S6.ack',
    consequences: [],
  },
  {
    name: 'panic-once',
    role: 'watchdog',
    removes: 'the re-sending of a panic',
    reveal: { fault: 'lost-panic' },
    red: 'L1',
    consequences: [],
  },
  {
    name: 'beat-from-timer',
    role: 'exit-brain',
    removes: 'the proof of progress in a heartbeat',
    reveal: { fault: 'frozen-loop' },
    red: 'S11',
    consequences: [],
  },
  {
    name: 'wall-clock-age',
    role: 'watchdog',
    removes: 'the monotonic clock',
    reveal: { fault: 'wall-step' },
    red: 'L1',
    consequences: ['S8', 'L4'],
  },
  {
    name: 'no-dedupe',
    role: 'exit-worker',
    removes: 'the one incident of a failure',
    reveal: { fault: 'panic-twice' },
    red: 'S9',
    consequences: ['S6'],
  },
  {
    name: 'drop-old-panic',
    role: 'exit-worker',
    removes: 'the execution of an old panic',
    reveal: { fault: 'old-panic' },
    red: 'S6',
    consequences: ['S7'],
  },
  {
    name: 'flag-not-lease',
    role: 'strategy',
    removes: 'the permission that lapses by itself',
    reveal: { kill: 'watchdog' },
    red: 'L4',
    consequences: [],
  },
  {
    name: 'retry-blindly',
    role: 'exit-worker',
    removes: 'the question before a second close',
    reveal: { fault: 'lost-answers' },
    red: 'S4',
    consequences: ['S5', 'S5.horizon'],
  },
];

/** Throws {@link ConfigurationError} for a name that is not in the catalogue. */
export function sabotageNamed(name: string): Sabotage {
  const found = SABOTAGES.find((sabotage) => sabotage.name === name);
  if (found === undefined)
    throw new ConfigurationError('sabotage', name, `must be one of ${SABOTAGES.map((sabotage) => sabotage.name).join(', ')}`);
  return found;
}
