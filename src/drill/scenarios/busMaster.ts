/** The server that holds the bus dies or stands still, with everyone alive; trading stops by itself, and goes on with the bus. */
import { systemClock } from '../../clock.js';
import type { Conductor } from '../conductor.js';
import type { Scenario } from './scenario.js';
import { ATTEMPTS_AFTER_HALT, outageChecks, settle, trade, unguarded, untilTradingReturns } from './stage.js';

/** Sentinels or a Cluster need seconds to agree on a successor; a killed node must be brought back by whoever looks after it. */
const FAILOVER_MS = 60_000;

async function outage(conductor: Conductor): Promise<void> {
  const master = await conductor.busMaster();
  const fromMs = systemClock.monotonicMs();
  await master.strike(conductor.drill.signal);
  conductor.say(`${conductor.drill.signal} to the server of the bus (${master.shown})`);
  const refused = () => conductor.attempts().filter(({ value }) => value.atMs > fromMs && value.result === 'refused').length;
  await conductor.waitFor(conductor.timings.lease.ttlMs + 3_000, () => refused() >= ATTEMPTS_AFTER_HALT);
  const untilMs = await conductor.busAwayUntilNeeded(master, FAILOVER_MS);
  await master.comeBack();
  const isBack = await untilTradingReturns(conductor, { fromMs, untilMs }, FAILOVER_MS);
  conductor.say(isBack ? 'the bus is there again, and orders are admitted' : 'no order is admitted');
}

export const killBusMaster: Scenario = {
  name: 'kill bus-master',
  summary: 'the Redis server that takes the writes of the bus dies, with everyone alive; then the exit brain dies',
  checks: outageChecks(true),
  detectionMs: unguarded,
  run: async (conductor) => {
    const { brain } = await trade(conductor);
    await outage(conductor);
    conductor.marks.faultMs = conductor.strike(brain, 'SIGKILL');
    await settle(conductor, unguarded(conductor.timings));
  },
};
