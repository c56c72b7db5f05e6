/** What a death calls for: a plain function of who died, of the book at that moment, and of how often it has died before. */
import type { ServiceKind } from './service.js';

/** `flat`: positions and orders were read empty after the death. `unknown`: nobody could say in time. */
export type Book = 'flat' | 'open' | 'unknown';

export interface Death {
  readonly kind: ServiceKind;
  readonly book: Book;
  /** Within the window, this one included. */
  readonly deaths: number;
  readonly maxRestarts: number;
}

export interface Reaction {
  /** The reason of the panic; undefined: none is called for. */
  readonly panic: string | undefined;
  readonly restart: boolean;
}

/** Whether open positions are nobody's while it is dead. */
export const isGuardian = (kind: ServiceKind): boolean => kind === 'bot' || kind === 'exit-brain';

const inReason = (text: string): string => text.toUpperCase().replaceAll('-', '_');

export function onDeath({ kind, book, deaths, maxRestarts }: Death): Reaction {
  const restart = deaths <= maxRestarts;
  if (isGuardian(kind) && book !== 'flat') return { panic: `${inReason(kind)}_DIED_BOOK_${inReason(book)}`, restart };
  return { panic: restart ? undefined : `${inReason(kind)}_RESTART_LIMIT_PASSED`, restart };
}
