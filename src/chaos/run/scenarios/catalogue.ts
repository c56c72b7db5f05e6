/** Every scenario by its name. */
import { ConfigurationError } from '../../../errors.js';
import type { ChaosScenario } from '../scenario.js';
import * as brains from './brains.js';
import { noFaultControl } from './control.js';
import * as outages from './outages.js';
import { snapshotCorruption } from './snapshot.js';
import { clockSkew, cpuExhaustion, frozenVenue } from './venueAndMachine.js';

export const CHAOS_SCENARIOS: readonly ChaosScenario[] = [
  brains.guardianProcessCrash,
  outages.networkPartition,
  brains.memoryCorruption,
  brains.memoryExhaustion,
  cpuExhaustion,
  brains.diskFull,
  clockSkew,
  outages.dnsFailure,
  outages.databaseTimeout,
  brains.heartbeatRevocation,
  snapshotCorruption,
  brains.frozenProcess,
  frozenVenue,
  outages.redisFailover,
  outages.zombiePrimary,
  outages.halfOpenConnection,
  noFaultControl,
];

export const SCENARIO_NAMES: readonly string[] = CHAOS_SCENARIOS.map(({ name }) => name);

/** In the place of a name: every scenario. */
const ALL = 'all';

/** One name, several with commas between, or `all`; each once. Throws a ConfigurationError for a name that is none. */
export function scenariosNamed(names: string): readonly ChaosScenario[] {
  if (names === ALL) return CHAOS_SCENARIOS;
  return [...new Set(names.split(','))].map((name) => scenarioNamed(name.trim()));
}

/** Throws a ConfigurationError for a name that is none. */
export function scenarioNamed(name: string): ChaosScenario {
  const found = CHAOS_SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined) throw new ConfigurationError('scenario', name, `must be one of ${SCENARIO_NAMES.join(', ')}`);
  return found;
}
