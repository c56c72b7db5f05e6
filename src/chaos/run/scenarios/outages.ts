/** Everyone lives, and the bus is away: trading must stop by itself, nobody may panic, and it must come back by itself. */
import { systemClock } from '../../../clock.js';
import { type Evidence, TOLERANCE_MS } from '../../../drill/judge/evidence.js';
import * as stop from '../../../drill/judge/stopChecks.js';
import * as watch from '../../../drill/judge/watchChecks.js';
import { isTradingAgain } from '../promisedState.js';
import { noCloseUnasked, noHalt, noPanic, stateNeverGoesBack } from '../safeguards.js';
import type { ChaosScenario } from '../scenario.js';
import { SilentProbe } from '../silentProbe.js';
import type { Stage } from '../stage.js';

/** Refusals of the strategy while it is without the bus, so that its silence can be told from a stop. */
const REFUSALS = 25;
/** Orders behind the recovery, of which the error rate afterwards is taken. */
const AFTER_MS = 2_000;
/** Sentinels need seconds to agree on a successor. */
const FAILOVER_MS = 60_000;

/** The first refusal behind the onset: the lease has lapsed at the strategy's own door. */
function firstRefusalMs({ attempts, marks }: Evidence): number | undefined {
  const fromMs = marks.outage?.fromMs ?? Infinity;
  return attempts.find(({ value }) => value.atMs >= fromMs && value.result === 'refused')?.value.atMs;
}

export const OUTAGE = {
  panicDue: false,
  sabotage: { name: 'flag-not-lease', red: 'L4.outage' },
  mustFire: [stop.outageLapses(true), stop.leaseReturns],
  mustNotFire: [stop.nothingForgotten, watch.noPanicInOutage, noPanic, noHalt, noCloseUnasked, stateNeverGoesBack],
  failClosed: { promise: 'L4', boundMs: ({ lease }) => lease.ttlMs + TOLERANCE_MS, activatedAtMs: firstRefusalMs },
} as const satisfies Partial<ChaosScenario>;

export async function untilRefusing({ conductor }: Pick<Stage, 'conductor'>, fromMs: number): Promise<void> {
  const { ttlMs, peerLivenessMs } = conductor.timings.lease;
  const refused = () => conductor.attempts().filter(({ value }) => value.atMs > fromMs && value.result === 'refused').length;
  await conductor.sleep(ttlMs + peerLivenessMs);
  await conductor.waitFor(3_000, () => refused() >= REFUSALS);
}

/** The fault is over: marks it, and waits until orders flow again. */
export async function outageEnded(stage: Stage, fromMs: number, untilMs: number, what: string): Promise<void> {
  const { conductor } = stage;
  stage.endedMs = untilMs;
  conductor.marks.outage = { fromMs, untilMs };
  stage.doses.push({ what, target: Math.round(conductor.timings.lease.ttlMs), measured: Math.round(untilMs - fromMs), unit: 'ms' });
  await stage.untilRecovered(() => isTradingAgain(conductor, untilMs));
  await conductor.sleep(AFTER_MS);
}

function cutOff(name: string, summary: string, cutMode?: ChaosScenario['cutMode']): ChaosScenario {
  return {
    ...OUTAGE,
    name,
    summary,
    buses: ['redis'],
    needs: ['tcp-proxy', 'redis-server'],
    partition: 'strategy',
    ...(cutMode === undefined ? {} : { cutMode }),
    run: async (stage) => {
      const { conductor } = stage;
      await stage.trade();
      const fromMs = conductor.partition(true);
      stage.onsetMs = fromMs;
      // On the same way as the strategy, and with no part in the fault.
      const probe = await SilentProbe.through(conductor.cast.proxyPorts());
      await untilRefusing(stage, fromMs);
      const untilMs = conductor.partition(false);
      // A probe that was answered has seen less of the fault than there was.
      const heardMs = probe.close() ?? untilMs;
      await outageEnded(stage, fromMs, untilMs, 'length of the cut');
      stage.doses.push({
        what: 'silence towards a question on the same way',
        target: Math.round(conductor.timings.lease.ttlMs),
        measured: Math.round(heardMs - fromMs),
        unit: 'ms',
      });
    },
  };
}

export const networkPartition = cutOff(
  'network_partition',
  'every byte between the strategy and the bus waits for a while, with everyone alive',
);

export const halfOpenConnection = cutOff(
  'half_open_connection',
  'the connection of the strategy to the bus stands and takes what is sent, and nothing comes out at the other end',
  { kind: 'half-open' },
);

/** How often the way is looked at while nobody can find it. */
const LOOK_MS = 50;

/** How long no connection of the strategy stood, although the way was open; and what a look-up of its name was answered. */
async function withoutName({ conductor }: Stage, fromMs: number): Promise<{ readonly lonelyMs: number; readonly answer: string }> {
  const asked = conductor.cast.names().lookUp();
  const refusing = untilRefusing({ conductor }, fromMs);
  const over = new AbortController();
  const end = () => over.abort();
  void refusing.then(end, end);
  let lonelyMs = 0;
  for (let lastMs = systemClock.monotonicMs(); !over.signal.aborted; ) {
    await systemClock.sleep(LOOK_MS);
    const nowMs = systemClock.monotonicMs();
    if (conductor.cast.connections === 0) lonelyMs += nowMs - lastMs;
    lastMs = nowMs;
  }
  await refusing;
  return { lonelyMs, answer: await asked };
}

/** Node's words for a name that is not known, or that nobody answers for. */
const UNKNOWN_NAME = ['EAI_AGAIN', 'ENOTFOUND', 'EAI_FAIL'];

export const dnsFailure: ChaosScenario = {
  ...OUTAGE,
  name: 'dns_failure',
  summary: 'the name of the bus can no longer be looked up when the connections of the strategy break, with the way itself open',
  buses: ['redis'],
  needs: ['private-names', 'tcp-proxy', 'redis-server'],
  partition: 'strategy',
  ownNames: true,
  run: async (stage) => {
    const { conductor } = stage;
    await stage.trade();
    const { cast } = conductor;
    await cast.names().know(false);
    const fromMs = systemClock.monotonicMs();
    cast.resetConnections();
    stage.onsetMs = fromMs;
    conductor.say('the name of the bus is no longer known to the strategy, and its connections were reset');
    const { lonelyMs, answer } = await withoutName(stage, fromMs);
    await cast.names().know(true);
    const untilMs = systemClock.monotonicMs();
    conductor.say(`the name is known again (a look-up in between said ${answer})`);
    stage.doses.push(
      {
        what: `look-ups of the name that failed (${answer})`,
        target: 1,
        measured: UNKNOWN_NAME.includes(answer) ? 1 : 0,
        unit: 'look-ups',
      },
      {
        what: 'time in which the way was open and nobody found it',
        target: Math.round(conductor.timings.lease.ttlMs),
        measured: Math.round(lonelyMs),
        unit: 'ms',
      },
    );
    await outageEnded(stage, fromMs, untilMs, 'time without the name');
  },
};

interface Strike extends Pick<ChaosScenario, 'name' | 'summary' | 'busOfItsOwn'> {
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

/** The server that takes the writes of the bus is struck by its process id. */
function struckServer({ signal, ...told }: Strike): ChaosScenario {
  return {
    ...OUTAGE,
    ...told,
    buses: ['redis'],
    needs: ['signals', 'proc', 'redis-server'],
    strikesBus: true,
    run: async (stage) => {
      const { conductor } = stage;
      await stage.trade();
      const master = await conductor.busMaster();
      // A server that the run was given outlives it.
      const stopped = signal === 'SIGSTOP' ? await stage.beforeStopping(master.pid) : undefined;
      const fromMs = systemClock.monotonicMs();
      await master.strike(signal);
      stage.onsetMs = fromMs;
      conductor.say(`${signal} to the server of the bus (${master.shown})`);
      await untilRefusing(stage, fromMs);
      // A single server is needed at once; of several, the old one is needed as a replica when another has taken its place.
      const untilMs = await conductor.busAwayUntilNeeded(master, FAILOVER_MS);
      await master.comeBack();
      stopped?.[Symbol.dispose]();
      conductor.say('the server that was struck is no longer held back');
      await outageEnded(stage, fromMs, untilMs, 'time without an answer of the bus, as another client saw it');
    },
  };
}

export const databaseTimeout = struckServer({
  name: 'database_timeout',
  summary: 'the one server of the bus stands still, so that every call to it runs into its time limit',
  signal: 'SIGSTOP',
});

export const redisFailover = struckServer({
  name: 'redis_failover',
  summary: 'the master of the bus is killed, and Sentinel makes another server the master',
  busOfItsOwn: 'sentinel',
  signal: 'SIGKILL',
});

export const zombiePrimary = struckServer({
  name: 'zombie_primary',
  summary: 'the master of the bus stands still until it has a successor, and then goes on as if it still were the master',
  busOfItsOwn: 'sentinel',
  signal: 'SIGSTOP',
});
