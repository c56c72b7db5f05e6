/** When a fill happened: ISO 8601 text or an epoch number, told apart only where both readings cannot be meant. */
import { ConfigurationError } from '../errors.js';

/** 2000-01-01 and 2100-01-01: as seconds and as milliseconds these ranges lie far apart, so no number fits both. */
const FIRST_MS = 946_684_800_000;
const LAST_MS = 4_102_444_800_000;

const BOUND =
  'must be ISO 8601 text with a time and a zone, epoch seconds or epoch milliseconds, between 2000-01-01 and 2100-01-01: ' +
  'anything else could be read in two ways';

const ISO = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d{2}):?(\d{2}))$/;
const EPOCH_TEXT = /^\d{1,16}(\.\d{1,9})?$/;

function fromEpoch(text: string): number | undefined {
  const value = Number(text);
  if (value >= FIRST_MS && value <= LAST_MS) return Math.floor(value);
  if (!(value >= FIRST_MS / 1_000 && value <= LAST_MS / 1_000)) return undefined;
  // By its digits: a product of the number may lie on either side of the millisecond.
  const [seconds, fraction = ''] = text.split('.');
  return Number(seconds) * 1_000 + Number(fraction.padEnd(3, '0').slice(0, 3));
}

function daysIn(year: number, month: number): number {
  return (Date.UTC(year, month, 1) - Date.UTC(year, month - 1, 1)) / 86_400_000;
}

function fromIso(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || part(10) > 23 || part(11) > 59) return undefined;
  const ms = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const offsetMs = (part(10) * 60 + part(11)) * 60_000 * (match[9] === '-' ? -1 : 1);
  const atMs = Date.UTC(year, month - 1, day, hour, minute, second, ms) - offsetMs;
  return atMs >= FIRST_MS && atMs <= LAST_MS ? atMs : undefined;
}

/** Whole milliseconds since the epoch; what is finer is cut off. Throws a {@link ConfigurationError} naming field, value and bound. */
export function timestampMs(field: string, value: unknown): number {
  let atMs: number | undefined;
  if (typeof value === 'number') atMs = fromEpoch(String(value));
  else if (typeof value === 'string') atMs = EPOCH_TEXT.test(value) ? fromEpoch(value) : fromIso(value);
  if (atMs === undefined) throw new ConfigurationError(field, value, BOUND);
  return atMs;
}
