/** A scenario: one fault in real processes, what it needs, which safeguards must answer it and which must not. */

import type { ActorRole, Variant } from '../../drill/actors/order.js';
import type { Evidence, Judge } from '../../drill/judge/evidence.js';
import type { DrillOptions } from '../../drill/options.js';
import type { ProxyMode } from '../../rig/tcpProxy.js';
import type { ScaledTimings } from '../../roles/scale.js';
import type { CapabilityName } from '../capabilities/capability.js';
import type { Stage } from './stage.js';

export const BUS_KINDS = ['journal', 'redis'] as const;
export type BusKind = (typeof BUS_KINDS)[number];

export interface ChaosScenario {
  readonly name: string;
  readonly summary: string;
  /** On which buses the fault can happen at all; the first one is taken where none is given. */
  readonly buses: readonly BusKind[];
  readonly needs: readonly CapabilityName[];
  /** Whoever has a proxy before the bus. */
  readonly partition?: DrillOptions['partition'];
  /** What the proxy does to it. Default: every byte waits. */
  readonly cutMode?: ProxyMode;
  /** Whoever has the proxy has names of its own as well, and knows the bus by a name alone. */
  readonly ownNames?: boolean;
  /** The server of the bus itself is struck: the strategy writes down its attempts elsewhere. */
  readonly strikesBus?: boolean;
  /** A bus of its own is three servers with Sentinel. Default: one server. */
  readonly busOfItsOwn?: 'sentinel';
  /** Roles that carry the fault inside them. */
  readonly variants?: ReadonlyMap<ActorRole, Variant>;
  /** The same for single processes, by the names that the rig gives them. */
  readonly named?: ReadonlyMap<string, Variant>;
  /** Who of the role with a proxy stands behind it, by name. Default: all of it. */
  readonly cutOff?: readonly string[];
  /** Default: the objective of every scenario, 30 s. */
  readonly recoverWithinMs?: number;
  /** A panic is due: flat and HALTED is what it recovers to. Otherwise orders are admitted again, and no panic may come. */
  readonly panicDue: boolean;
  readonly mustFire: readonly Judge[];
  readonly mustNotFire: readonly Judge[];
  /** The promise by which it must have failed closed, its bound, and when it did. Absent: nothing may close. */
  readonly failClosed?: {
    readonly promise: string;
    readonly boundMs: (timings: ScaledTimings) => number;
    readonly activatedAtMs: (evidence: Evidence) => number | undefined;
  };
  /** The safeguard without which this scenario must go red, and the check or objective that must say so. */
  readonly sabotage: { readonly name: string; readonly red: string };
  /** Injects, measures, ends the fault and waits for the recovery; marks the moments on the stage. */
  readonly run: (stage: Stage) => Promise<void>;
}
