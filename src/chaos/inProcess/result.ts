/** What a run comes to: counts, the recovery rate with what it surely is at least, and the verdict, each from what was observed. */
import type { ChaosSettings } from './config.js';
import type { ChaosType } from './faultKinds.js';
import type { ChaosCrash, ChaosInjection } from './injection.js';

export interface ChaosResult {
  readonly verdict: 'passed' | 'failed';
  /** Why it failed; empty where it passed. */
  readonly problems: readonly string[];
  readonly seed: number | string;
  /** ISO 8601 in UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly failureRate: number;
  /** Of the targets, by the subject, while the engine was armed. */
  readonly calls: number;
  /** Faults that really took place. */
  readonly totalInjections: number;
  readonly injectionsByType: Readonly<Partial<Record<ChaosType, number>>>;
  readonly successfulRecoveries: number;
  /** Not seen to recover in time, or not looked at. */
  readonly failedRecoveries: number;
  readonly crashCount: number;
  /** From 0 to 1; undefined where nothing was injected: no rate is no success. */
  readonly recoveryRate: number | undefined;
  /** The lower end of the 95 % interval of Wilson: what so few observations allow to say. */
  readonly recoveryRateAtLeast: number | undefined;
  readonly injections: readonly ChaosInjection[];
  readonly crashes: readonly ChaosCrash[];
}

const Z_95 = 1.959964;

/** The lower end of Wilson's score interval for `successes` of `trials`; 0 where nothing was tried. */
export function wilsonLowerBound(successes: number, trials: number, z: number = Z_95): number {
  if (trials <= 0) return 0;
  const share = successes / trials;
  const centre = share + z ** 2 / (2 * trials);
  const spread = z * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2));
  // Rounding must not lift it over what was seen.
  return Math.min(share, Math.max(0, (centre - spread) / (1 + z ** 2 / trials)));
}

/** Of these injections, whether more have failed to recover than the budget allows. */
export function isOverBudget(failed: number, observed: number, errorBudget: number): boolean {
  return failed > observed * errorBudget;
}

export interface RunFacts {
  readonly settings: Pick<ChaosSettings, 'armed' | 'seed' | 'failureRate' | 'errorBudget' | 'targets' | 'recovered'>;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly calls: number;
  /** Targets that were called. */
  readonly called: ReadonlySet<string>;
  readonly injections: readonly ChaosInjection[];
  readonly crashes: readonly ChaosCrash[];
}

export function resultOf({ settings, startedAt, durationMs, calls, called, injections, crashes }: RunFacts): ChaosResult {
  const counted = injections.filter(({ failureInjected }) => failureInjected);
  const recovered = counted.filter(({ systemRecovered }) => systemRecovered === true).length;
  const injectionsByType: Partial<Record<ChaosType, number>> = {};
  for (const { chaosType } of counted) injectionsByType[chaosType] = (injectionsByType[chaosType] ?? 0) + 1;
  const total = counted.length;
  const problems = problemsOf({ settings, calls, called, total, failed: total - recovered, crashes: crashes.length });
  return {
    verdict: problems.length === 0 ? 'passed' : 'failed',
    problems,
    seed: settings.seed,
    startedAt,
    durationMs,
    failureRate: settings.failureRate,
    calls,
    totalInjections: total,
    injectionsByType,
    successfulRecoveries: recovered,
    failedRecoveries: total - recovered,
    crashCount: crashes.length,
    recoveryRate: total === 0 ? undefined : recovered / total,
    recoveryRateAtLeast: total === 0 ? undefined : wilsonLowerBound(recovered, total),
    injections,
    crashes,
  };
}

interface Counts extends Pick<RunFacts, 'settings' | 'calls' | 'called'> {
  readonly total: number;
  readonly failed: number;
  readonly crashes: number;
}

function problemsOf({ settings, calls, called, total, failed, crashes }: Counts): string[] {
  const problems: string[] = [];
  if (!settings.armed) problems.push('the engine was not armed');
  else if (calls === 0) problems.push('no target was called');
  else if (total === 0) problems.push(`nothing was injected in ${calls} calls`);
  for (const target of settings.targets) if (!called.has(target)) problems.push(`target ${target} was never called`);
  if (crashes > 0) problems.push(`${crashes} crashes`);
  if (total > 0 && settings.recovered === undefined) problems.push('nobody looked for a recovery: there is no recovery predicate');
  else if (isOverBudget(failed, total, settings.errorBudget)) {
    problems.push(`${failed} of ${total} injections without recovery, more than the budget of ${settings.errorBudget * 100} %`);
  }
  return problems;
}
