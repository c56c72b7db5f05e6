/** Blows one storm at a subject until the time is up, and says what was seen. */
import type { Clock } from '../../clock.js';
import { ChaosEngine } from '../inProcess/engine.js';
import type { ChaosResult } from '../inProcess/result.js';
import type { StormOptions } from './options.js';
import type { StormRun, StormSubject } from './subject.js';

/** More rounds than any duration holds. */
const ROUNDS = Number.MAX_SAFE_INTEGER;

export interface StormDeps {
  readonly clock: Clock;
  /** Ends the storm early. */
  readonly signal: AbortSignal;
}

/** Rejects where the subject cannot be opened. A type that was asked for and never fell is a failure. */
export async function runStorm(
  subject: StormSubject,
  {
    types,
    failureRate,
    seed,
    durationMs,
    maxInjections,
  }: Pick<StormOptions, 'types' | 'failureRate' | 'seed' | 'durationMs' | 'maxInjections'>,
  { clock, signal }: StormDeps,
): Promise<ChaosResult> {
  let run: StormRun | undefined;
  const engine = new ChaosEngine({
    armed: true,
    types,
    failureRate,
    ...(seed === undefined ? {} : { seed }),
    durationMs,
    maxInjections,
    clock,
    recovered: (injection) => run?.recovered(injection) ?? false,
  });
  const end = () => void engine.close();
  signal.addEventListener('abort', end, { once: true });
  try {
    const opened = await subject.open(engine);
    run = opened;
    const result = await engine.run((round) => opened.operation(round), { rounds: ROUNDS });
    const missing = types.filter((type) => result.injectionsByType[type] === undefined);
    if (missing.length === 0) return result;
    return { ...result, verdict: 'failed', problems: [...result.problems, `never injected: ${missing.join(', ')}`] };
  } finally {
    signal.removeEventListener('abort', end);
    await engine.close();
    await run?.close?.();
  }
}
