/** Runs a user's own strategy under faults in virtual time, and says by which smallest schedule it breaks a promise. */
import type { Broker } from '../broker/broker.js';
import { checkInteger } from '../checks.js';
import { ConfigurationError } from '../errors.js';
import { seededRandom } from '../random.js';
import { scheduleFor, shrinkRun } from '../simulation/campaign/campaign.js';
import { type RunOptions, type RunResult, runSchedule } from '../simulation/campaign/run.js';
import { timelineOf } from '../simulation/campaign/timeline.js';
import type { Schedule } from '../simulation/faults/schedule.js';
import type { Violation } from '../simulation/judge/violation.js';
import { STRATEGY } from '../simulation/world/ground.js';
import type { Bar } from '../venue/bars.js';
import { randomWalk } from './marketData.js';
import type { SafetyPromise, StrategyRun } from './promises.js';
import { trapRealClock } from './realClock.js';
import { STOP_MS, StrategyLife, type StrategyUnderTest } from './strategyTools.js';

/** The promises of failflat that a strategy can break, or that it is judged by while it runs. */
export const STRATEGY_PROMISES = ['S1', 'S4', 'S5', 'S6', 'S7', 'S8', 'S9', 'S10', 'L1', 'L2', 'L4'] as const;
export type StrategyPromise = (typeof STRATEGY_PROMISES)[number];

export interface CheckSafetyOptions {
  readonly strategy: StrategyUnderTest;
  /** Your own adapter around the simulated venue. Default: none. */
  readonly broker?: (venue: Broker) => Broker;
  /** Names of promises, or your own. Default: all of {@link STRATEGY_PROMISES}. */
  readonly promises?: readonly (StrategyPromise | SafetyPromise)[];
  /** How many schedules. Default 20. */
  readonly seeds?: number;
  /** The first seed. Default 1. */
  readonly seed?: number;
  /** Signed quantities that the account holds at the beginning. Default: none. */
  readonly positions?: Readonly<Record<string, number>>;
  /** One a second. Default: a walk of the seed around 100. */
  readonly bars?: readonly Bar[];
  /** Only this one, for instance one that a report printed. */
  readonly schedule?: Schedule;
}

export interface SafetyReport {
  readonly ok: boolean;
  readonly seeds: number;
  readonly simulatedSeconds: number;
  readonly violation?: Violation;
  /** The smallest that still breaks the promise: keep it, and give it as `schedule`. */
  readonly schedule?: Schedule;
  /** What happened, for people. */
  readonly timeline?: string;
}

const DEFAULT_SEEDS = 20;

function checked(options: CheckSafetyOptions): { readonly named: ReadonlySet<string>; readonly own: readonly SafetyPromise[] } {
  if (typeof options.strategy !== 'function') throw new ConfigurationError('strategy', options.strategy, 'must be a function');
  const promises = options.promises ?? STRATEGY_PROMISES;
  const named = new Set<string>();
  const own: SafetyPromise[] = [];
  for (const promise of promises) {
    if (typeof promise !== 'string') own.push(promise);
    else if (STRATEGY_PROMISES.includes(promise)) named.add(promise);
    else throw new ConfigurationError('promises', promise, `must be one of ${STRATEGY_PROMISES.join(', ')}, or a promise of your own`);
  }
  if (promises.length === 0) throw new ConfigurationError('promises', promises, 'must name at least one promise');
  return { named, own };
}

/** Of the safety roles around the strategy: so that it trades for most of the time in which faults fall. */
const PACE = 4;

class Check {
  readonly #options: CheckSafetyOptions;
  readonly #named: ReadonlySet<string>;
  readonly #own: readonly SafetyPromise[];

  constructor(options: CheckSafetyOptions) {
    this.#options = options;
    const { named, own } = checked(options);
    this.#named = named;
    this.#own = own;
  }

  schedule(seed: number): Schedule {
    return scheduleFor(seed, { setup: { positions: this.#options.positions ?? {}, pace: PACE } });
  }

  /** One run; everything that decides it is in the schedule and in the strategy. */
  async run(
    schedule: Schedule,
  ): Promise<{ readonly run: RunResult; readonly options: RunOptions; readonly violation: Violation | undefined }> {
    const options = this.#runOptions(schedule);
    const trap = trapRealClock();
    try {
      const run = await runSchedule(schedule, options);
      return { run, options, violation: run.violations.find((violation) => this.#counts(violation)) };
    } finally {
      trap.remove();
    }
  }

  async shrink(found: RunResult, violation: Violation): Promise<RunResult> {
    const trap = trapRealClock();
    try {
      return (await shrinkRun(found, violation, this.#runOptions(found.schedule))).run;
    } finally {
      trap.remove();
    }
  }

  #counts({ promise }: Violation): boolean {
    return this.#named.has(promise) || promise === 'strategy' || this.#own.some(({ name }) => name === promise);
  }

  #runOptions({ seed, endMs }: Schedule): RunOptions {
    const { strategy, broker = (venue) => venue } = this.#options;
    const bars = this.#options.bars ?? randomWalk(seededRandom(`bars/${seed}`), Math.ceil(endMs / 1_000));
    const lives: StrategyLife[] = [];
    return {
      bars,
      strategy: (role, life) => {
        if (life === 1) lives.length = 0;
        const one = new StrategyLife(role);
        lives.push(one);
        one.begin(strategy, broker, bars, life);
      },
      prepare: (world) => void world.kernel.at(endMs - STOP_MS, 'the strategy is told to stop', () => lives.at(-1)?.stop()),
      oracles: [({ world }) => [...this.#judgeStrategy(lives, endMs), ...this.#judgeOwn(world.venue.events())]],
    };
  }

  /** Of the strategy's own conduct: whether it goes on, and ends, as it should. */
  #judgeStrategy(lives: readonly StrategyLife[], endMs: number): readonly Violation[] {
    const broken = (detail: string): Violation[] => [{ promise: 'strategy', atMs: endMs, detail }];
    const failed = lives.find(({ problem }) => problem !== undefined);
    if (failed !== undefined) return broken(`the strategy ended with an error: ${failed.problem}`);
    const last = lives.at(-1);
    if (last === undefined || !last.running || !last.stopped) return [];
    if (last.ordersAfterStop > 0)
      return [{ promise: 'S1', atMs: endMs, detail: `${last.ordersAfterStop} orders left the strategy after it had been told to stop` }];
    if (!last.settled) return broken(`the strategy did not return within ${STOP_MS} ms after its signal had aborted`);
    if (last.pendingTimers > 0) return broken(`the strategy returned and left ${last.pendingTimers} timers behind`);
    return [];
  }

  #judgeOwn(events: StrategyRun['events']): readonly Violation[] {
    const run: StrategyRun = {
      events,
      orders: events.filter((event) => event.kind === 'request').filter(({ source }) => source === STRATEGY),
      fills: events.filter((event) => event.kind === 'fill').filter(({ source }) => source === STRATEGY),
    };
    return this.#own.flatMap(({ name, broken }) => {
      const found = broken(run);
      return found === undefined ? [] : [{ promise: name, ...found }];
    });
  }
}

/**
 * Each seed is a world of its own: bus, venue, exit brain, watchdog and exit worker as shipped, with faults of which the strategy's
 * process, its connections, the bus and the venue are struck. Equal arguments give equal reports. Throws `ConfigurationError`.
 */
export async function checkSafety(options: CheckSafetyOptions): Promise<SafetyReport> {
  const check = new Check(options);
  const first = checkInteger('seed', options.seed ?? 1, { min: 0 });
  const seeds = options.schedule === undefined ? checkInteger('seeds', options.seeds ?? DEFAULT_SEEDS, { min: 1 }) : 1;
  let simulatedMs = 0;
  for (let done = 0; done < seeds; done += 1) {
    const { run, violation } = await check.run(options.schedule ?? check.schedule(first + done));
    simulatedMs += run.schedule.endMs;
    if (violation === undefined) continue;
    const small = await check.shrink(run, violation);
    const told = small.violations.find(({ promise }) => promise === violation.promise) ?? violation;
    return {
      ok: false,
      seeds: done + 1,
      simulatedSeconds: simulatedMs / 1_000,
      violation: told,
      schedule: small.schedule,
      timeline: timelineOf(small),
    };
  }
  return { ok: true, seeds, simulatedSeconds: simulatedMs / 1_000 };
}
