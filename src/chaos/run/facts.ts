/** What a scenario came to, computed from what its observers saw. Nothing here is written by whoever injected the fault. */
import type { Check } from '../../drill/judge/evidence.js';
import type { Health } from './health.js';

/** How much of the fault there really was. A dose below its target proves nothing. */
export interface Dose {
  readonly what: string;
  readonly target: number;
  readonly measured: number;
  readonly unit: string;
}

export interface Activation {
  /** The promise whose bound holds. */
  readonly promise: string;
  readonly boundMs: number;
  /** What the observing process was kept from running in the same span: by so much the bound grows. */
  readonly stallMs: number;
  /** From the fault's measured onset; undefined: it was never seen. */
  readonly activatedMs: number | undefined;
}

export interface Detection {
  readonly withinMs: number;
  /** From the onset; undefined: it was not seen. */
  readonly seenMs: number | undefined;
}

export interface Recovery {
  /** What must be seen, in words. */
  readonly promised: string;
  /** From the end of the fault; undefined: it was not seen before the wait was over. */
  readonly recoveredMs: number | undefined;
  /** Default: the objective of every scenario. */
  readonly withinMs?: number;
}

export interface OrderFacts {
  /** Attempts at moments at which trading was allowed. */
  readonly shouldHaveBeenAdmitted: number;
  /** Those of them that were refused, or that the venue never took. */
  readonly failed: number;
  /** The 95th percentile of those that went through; undefined: none did. */
  readonly latencyMs: number | undefined;
}

export interface ScenarioFacts {
  /** Undefined: the fault was not seen to begin. */
  readonly onsetMs: number | undefined;
  readonly doses: readonly Dose[];
  /** Undefined where nothing may close. */
  readonly activation: Activation | undefined;
  /** How soon another reader of the same bus saw the fault, where it is one that is seen. */
  readonly detection: Detection | undefined;
  readonly recovery: Recovery;
  readonly orders: OrderFacts;
  /** Safeguards that must fire, each as a check of the record. */
  readonly mustFire: readonly Check[];
  /** What must not happen, each as a check of the record. */
  readonly mustNotFire: readonly Check[];
  readonly health: { readonly before: Health; readonly during: Health; readonly after: Health };
}
