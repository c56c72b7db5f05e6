/** One planted bug of the simulation. */
import type { Permission } from '../../permission.js';
import type { Coincidence } from '../faults/coincidences.js';
import type { MakeParts } from '../world/parts.js';
import type { WorldSetup } from '../world/setup.js';

export interface SimulatedSabotage {
  readonly name: string;
  /** What the system lacks under it. */
  readonly removes: string;
  /** The promises of which it is expected to break one. */
  readonly breaks: readonly string[];
  readonly parts: MakeParts;
  /** The surroundings in which nothing else hides it. */
  readonly setup?: Partial<WorldSetup>;
  /** A coincidence without which it would take hundreds of seeds. */
  readonly focus?: Coincidence;
}

export const allowsAll = (): Permission => ({ name: 'no-breakers', check: () => undefined });
/** Kill switch and breakers refuse as well where the bus is not heard: they would hide what the lease lacks. */
export const onlyTheLease = { killSwitch: false, breakerPermission: allowsAll };
