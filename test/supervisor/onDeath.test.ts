/** What a death calls for, by who died, what was open, and how often it has died. */
import { expect, it } from 'vitest';
import { type Death, onDeath } from '../../src/supervisor/onDeath.js';

const death = (given: Partial<Death>): Death => ({ kind: 'bot', book: 'flat', deaths: 1, maxRestarts: 3, ...given });

it.each([
  [
    { kind: 'bot', book: 'open' },
    { panic: 'BOT_DIED_BOOK_OPEN', restart: true },
  ],
  [
    { kind: 'bot', book: 'unknown' },
    { panic: 'BOT_DIED_BOOK_UNKNOWN', restart: true },
  ],
  [
    { kind: 'exit-brain', book: 'open' },
    { panic: 'EXIT_BRAIN_DIED_BOOK_OPEN', restart: true },
  ],
  [
    { kind: 'exit-brain', book: 'unknown' },
    { panic: 'EXIT_BRAIN_DIED_BOOK_UNKNOWN', restart: true },
  ],
  [
    { kind: 'bot', book: 'flat' },
    { panic: undefined, restart: true },
  ],
  [
    { kind: 'watchdog', book: 'open' },
    { panic: undefined, restart: true },
  ],
  [
    { kind: 'exit-worker', book: 'unknown' },
    { panic: undefined, restart: true },
  ],
  [
    { kind: 'watchdog', book: 'flat', deaths: 3 },
    { panic: undefined, restart: true },
  ],
  [
    { kind: 'watchdog', book: 'flat', deaths: 4 },
    { panic: 'WATCHDOG_RESTART_LIMIT_PASSED', restart: false },
  ],
  [
    { kind: 'bot', book: 'flat', deaths: 4 },
    { panic: 'BOT_RESTART_LIMIT_PASSED', restart: false },
  ],
  [
    { kind: 'bot', book: 'open', deaths: 4 },
    { panic: 'BOT_DIED_BOOK_OPEN', restart: false },
  ],
  [
    { kind: 'other', book: 'flat', maxRestarts: 0 },
    { panic: 'OTHER_RESTART_LIMIT_PASSED', restart: false },
  ],
] as const)('%j', (given, reaction) => {
  expect(onDeath(death(given))).toEqual(reaction);
});
