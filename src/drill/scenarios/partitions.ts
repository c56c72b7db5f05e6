/** Everyone lives, and one of them loses the bus for a while: trading stops by itself, nobody panics, and it comes back. */
import type { Conductor } from '../conductor.js';
import type { Partition } from '../options.js';
import type { Scenario } from './scenario.js';
import { ATTEMPTS_AFTER_HALT, outageChecks, settle, trade, unguarded, untilTradingReturns } from './stage.js';

/** How long a lease may take to return once the bus can be reached again, and beats and renewals have come. */
const RETURN_MS = 5_000;

async function cutOff(conductor: Conductor): Promise<void> {
  const { ttlMs, peerLivenessMs } = conductor.timings.lease;
  const fromMs = conductor.partition(true);
  await conductor.sleep(ttlMs + peerLivenessMs);
  // No longer than it must be: a lease that is suspended for too long does not return by itself.
  await conductor.waitFor(3_000, () => conductor.attempts().filter(({ value }) => value.atMs > fromMs).length >= ATTEMPTS_AFTER_HALT);
  const untilMs = conductor.partition(false);
  await untilTradingReturns(conductor, { fromMs, untilMs }, RETURN_MS);
}

function partitioned(who: Partition): Scenario {
  return {
    name: `partition ${who}`,
    summary: `the ${who} is cut off from the bus for a while, with everyone alive; then the exit brain dies`,
    checks: outageChecks(who === 'strategy'),
    detectionMs: unguarded,
    run: async (conductor) => {
      const { brain } = await trade(conductor);
      await cutOff(conductor);
      conductor.marks.faultMs = conductor.strike(brain);
      await settle(conductor, unguarded(conductor.timings));
    },
  };
}

export const PARTITION_SCENARIOS: Readonly<Record<Partition, Scenario>> = {
  strategy: partitioned('strategy'),
  watchdog: partitioned('watchdog'),
  worker: partitioned('worker'),
};
