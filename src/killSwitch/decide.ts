/** Decides what the answers of all sources come to, and until when that may be relied on. */
import type { SentReadings } from '../clock.js';
import type { KillSwitchScope, KillSwitchSource, OpenExit, Opinion } from './source.js';

/** The newest answer of one source. */
export interface Observation {
  readonly source: KillSwitchSource;
  readonly opinion: Opinion;
  /** Both clocks when the last read that was answered began. */
  readonly sent: SentReadings;
}

/** Before the first answer. */
export const NEVER_READ: SentReadings = { sentMs: -Infinity, wallMs: -Infinity };

/** Why orders are refused. */
export interface Halting {
  /** What halts: `file:/etc/…`. */
  readonly source: string;
  /** In words that stand alone: `file:/etc/… says "1"`. */
  readonly reason: string;
}

export interface Limits {
  readonly maxStalenessMs: number;
  readonly wallDivergenceMs: number;
}

/** Between which readings of the clocks the answers count. */
export interface Standing {
  readonly fromMs: number;
  readonly untilMs: number;
  /** Bounds of wall clock less monotonic clock: a suspended host, whose monotonic clock stood still, is outside of them. */
  readonly leastOffsetMs: number;
  readonly mostOffsetMs: number;
  /** The source that was read the longest ago. */
  readonly oldest: string;
}

export type Verdict = ({ readonly halted: true } & Halting) | ({ readonly halted: false } & Standing);

/** What is known of exits that are under way; undefined where no source tells of them. */
export type ExitVerdict = { readonly open: OpenExit } | { readonly doubt: Halting } | { readonly none: Standing } | undefined;

/** Whether a source counts for these orders: unless it names another strategy or another account than they do. */
export function concerns({ strategy, account }: KillSwitchScope, orders: KillSwitchScope): boolean {
  const agree = (one: string | undefined, other: string | undefined) => one === undefined || other === undefined || one === other;
  return agree(strategy, orders.strategy) && agree(account, orders.account);
}

function haltingBy(opinion: Exclude<Opinion, { says: 'off' }>): Halting {
  return { source: opinion.from, reason: `${opinion.from} ${opinion.reason}` };
}

function firstThat(observations: readonly Observation[], says: 'halted' | 'doubt'): Halting | undefined {
  for (const { opinion } of observations) if (opinion.says === says) return haltingBy(opinion);
  return undefined;
}

function standingOf(observations: readonly Observation[], { maxStalenessMs, wallDivergenceMs }: Limits): Standing {
  let standing = { fromMs: -Infinity, untilMs: Infinity, leastOffsetMs: -Infinity, mostOffsetMs: Infinity, oldest: '' };
  for (const { opinion, sent } of observations) {
    const untilMs = sent.sentMs + maxStalenessMs;
    const offsetMs = sent.wallMs - sent.sentMs;
    standing = {
      fromMs: Math.max(standing.fromMs, sent.sentMs),
      untilMs: Math.min(standing.untilMs, untilMs),
      leastOffsetMs: Math.max(standing.leastOffsetMs, offsetMs - wallDivergenceMs),
      mostOffsetMs: Math.min(standing.mostOffsetMs, offsetMs + wallDivergenceMs),
      oldest: untilMs < standing.untilMs ? opinion.from : standing.oldest,
    };
  }
  return standing;
}

/** Any source that halts halts, then any that is in doubt; without one that says off nothing may pass either. */
export function decide(observations: readonly Observation[], limits: Limits): Verdict {
  const halting = firstThat(observations, 'halted') ?? firstThat(observations, 'doubt');
  if (halting !== undefined) return { halted: true, ...halting };
  const silent = observations.map(({ opinion }) => opinion).filter((opinion) => opinion.says !== 'off');
  if (silent.length < observations.length) return { halted: false, ...standingOf(observations, limits) };
  const reasons = silent.map((opinion) => haltingBy(opinion).reason);
  return { halted: true, source: 'none', reason: `no source has an opinion: ${reasons.join('; ') || 'there is none'}` };
}

/** Whether a reduction may meet an exit that is under way. A source that says off or halted has said that none is. */
export function decideExit(observations: readonly Observation[], limits: Limits): ExitVerdict {
  const telling = observations.filter(({ source }) => source.tellsExits);
  if (telling.length === 0) return undefined;
  for (const { opinion } of telling) if (opinion.exit !== undefined) return { open: opinion.exit };
  const doubt = firstThat(telling, 'doubt');
  return doubt === undefined ? { none: standingOf(telling, limits) } : { doubt };
}

/** True while the answers count. Written so that NaN, and a reading from before they were asked for, permit nothing. */
export function stands(standing: Standing, nowMs: number, wallMs: number): boolean {
  const offsetMs = wallMs - nowMs;
  return nowMs >= standing.fromMs && nowMs <= standing.untilMs && offsetMs >= standing.leastOffsetMs && offsetMs <= standing.mostOffsetMs;
}

/** Why answers that all say off do not count any more. */
export function lapse({ fromMs, untilMs, oldest }: Standing, nowMs: number, limits: Limits): Halting {
  if (nowMs > untilMs) {
    const ageMs = Math.round(nowMs - untilMs + limits.maxStalenessMs);
    return { source: oldest, reason: `${oldest} is stale: it was last read ${ageMs} ms ago, at most ${limits.maxStalenessMs} are allowed` };
  }
  if (nowMs >= fromMs) {
    const reason = 'wall and monotonic clock have drifted apart since the last read: the host was suspended, or its clock was set';
    return { source: 'clock', reason };
  }
  return { source: 'clock', reason: `the reading of the clock (${nowMs}) is from before the last read: it is of another clock, or none` };
}
