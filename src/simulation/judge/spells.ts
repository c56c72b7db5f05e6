/** How long each fault lasted, for promises that hold only where nothing else is wrong. */
import type { Stroke } from '../faults/play.js';
import type { Fault } from '../faults/schedule.js';

export interface Spell {
  readonly fault: Fault;
  readonly fromMs: number;
  /** As `fromMs` where it cannot last; Infinity where it was not seen to end. */
  readonly untilMs: number;
}

export function spellsOf(strokes: readonly Stroke[]): readonly Spell[] {
  return strokes.flatMap(({ fault, what, atMs }) => {
    if (what !== 'begins') return [];
    const end = strokes.find((other) => other.fault === fault && other.what === 'ends');
    return [{ fault, fromMs: atMs, untilMs: end?.atMs ?? (fault.forMs > 0 ? Infinity : atMs) }];
  });
}

/** No fault that concerns them was under way in all this time. */
export function isCalm(strokes: readonly Stroke[], fromMs: number, toMs: number, concerns: (fault: Fault) => boolean): boolean {
  return spellsOf(strokes).every((spell) => spell.untilMs < fromMs || spell.fromMs > toMs || !concerns(spell.fault));
}

/** What strikes the bus or the venue as a whole, or the connection or process of this name. */
export function strikes(name: string): (fault: Fault) => boolean {
  return ({ kind, target }) => (target === undefined ? kind.startsWith('bus') || kind.startsWith('venue') : target === name);
}
