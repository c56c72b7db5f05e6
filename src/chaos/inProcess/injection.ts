/** One fault that was injected, and what was seen of it: plain values for the result, the report and the recovery predicate. */
import type { ChaosBehaviour, ChaosType } from './faultKinds.js';

export interface ChaosInjection {
  /** 1 for the first of its engine. */
  readonly number: number;
  readonly chaosType: ChaosType;
  readonly behaviour: ChaosBehaviour;
  /** When it began, ISO 8601 in UTC: for people. */
  readonly timestamp: string;
  /** When it began, on the engine's monotonic clock. */
  readonly atMs: number;
  readonly targetFunction: string;
  /** Which call of the target it was; 1 for the first. */
  readonly call: number;
  /** The round of the run in which it fell; undefined outside a run. */
  readonly round: number | undefined;
  /** What the target was called with. */
  readonly args: readonly unknown[];
  /** Whether the fault really took place: a call that nothing could overtake was not reordered. Such an injection is not counted. */
  readonly failureInjected: boolean;
  /** What the recovery predicate said before its time was up; undefined while nobody has looked. */
  readonly systemRecovered: boolean | undefined;
  /** From the fault to the look that saw the recovery. */
  readonly recoveryMs: number | undefined;
  /** What the caller was told, or why the recovery was not seen. */
  readonly errorMessage: string | undefined;
}

/** What the engine goes on writing while the fault is under way. */
export type OpenInjection = { -readonly [K in keyof ChaosInjection]: ChaosInjection[K] };

export interface ChaosCrash {
  readonly round: number;
  readonly errorMessage: string;
  /** The test threw on what was injected, and had nothing of its own to say. */
  readonly wasInjected: boolean;
  /** Numbers of the injections that fell in its round. */
  readonly injections: readonly number[];
}
