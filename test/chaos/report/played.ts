/** A run as its observers might have seen it: the brain dies at 3 s, the panic comes, and a second brain is there at 8 s. */
import type { VenueEvent } from '../../../src/brokers/paper/index.js';
import type { ScenarioFacts } from '../../../src/chaos/run/facts.js';
import type { Sample } from '../../../src/chaos/run/monitor.js';
import { orderSamples } from '../../../src/chaos/run/recording.js';
import type { Played } from '../../../src/chaos/run/runScenario.js';
import { judgeScenario } from '../../../src/chaos/run/score.js';
import type { Check } from '../../../src/drill/judge/evidence.js';
import type { OrderAttempt } from '../../../src/drill/orderLog.js';

export const sent = (atMs: number, clientOrderId: string): OrderAttempt => ({ atMs, clientOrderId, result: 'admitted' });

export const taken = (atMs: number, clientOrderId: string): VenueEvent => ({ kind: 'accepted', atMs, clientOrderId }) as VenueEvent;

export function sampleAt(atMs: number, ...names: readonly string[]): Sample {
  const processes = names.map((name, index) => ({ name, pid: 100 + index, state: 'S', cpuShare: 0.02, residentBytes: 60_000_000 }));
  return { atMs, loopDelayMs: 1, machineShare: atMs === 0 ? undefined : 0.4, processes };
}

interface Outcome {
  readonly activatedMs: number | undefined;
  readonly recoveredMs: number | undefined;
}

const found = (id: string, name: string, passed: boolean, evidence: string): Check => ({
  id,
  name,
  passed,
  evidence,
  missing: evidence.startsWith('no evidence'),
  figures: [],
});

function factsOf({ activatedMs, recoveredMs }: Outcome): ScenarioFacts {
  const isSeen = activatedMs !== undefined;
  return {
    onsetMs: 3_000,
    doses: [{ what: 'silence of the exit brain', target: 3_000, measured: 5_000, unit: 'ms' }],
    activation: { promise: 'L1', boundMs: 3_100, stallMs: 0, activatedMs },
    detection: undefined,
    recovery: { promised: 'flat, HALTED, and everyone beats', recoveredMs },
    orders: { shouldHaveBeenAdmitted: 100, failed: 0, latencyMs: 30 },
    mustFire: [
      found('S5', 'flat is said', isSeen, isSeen ? '0 positions' : 'no evidence: no flat was said'),
      found('L1', 'from the fault to the panic', isSeen, isSeen ? '2900 ms' : 'no panic within 9000 ms'),
    ],
    mustNotFire: [],
    health: { before: 'healthy', during: 'critical', after: 'critical' },
  };
}

export function played(outcome: Outcome = { activatedMs: 2_900, recoveredMs: 1_200 }): Played {
  const facts = factsOf(outcome);
  const { recoveredMs } = outcome;
  const samples = Array.from({ length: 20 }, (_, index) => index * 500).map((atMs) =>
    sampleAt(atMs, 'watchdog-1', ...(atMs < 3_000 ? ['exit-brain-1'] : []), ...(atMs >= 8_000 ? ['exit-brain-1', 'exit-brain-2'] : [])),
  );
  const orders = orderSamples([sent(1_000, 'a'), sent(2_000, 'b')], [taken(1_020, 'a'), taken(2_030, 'b')], 0, 9_500);
  return {
    ran: true,
    scenario: 'guardian_process_crash',
    summary: 'the exit brain is killed',
    bus: 'journal:/tmp/x/bus',
    facts,
    judgement: judgeScenario(facts),
    samples,
    recording: {
      startedMs: 0,
      onsetMs: 3_000,
      endedMs: 8_000,
      recoveredAtMs: recoveredMs === undefined ? undefined : 8_000 + recoveredMs,
      endMs: 9_500,
      wallOffsetMs: 0,
      orders,
      beats: { 'exit-brain': [1_500, 2_500, 8_300], watchdog: [0, 2_000, 4_000, 6_000, 8_000], 'exit-worker': [] },
      modes: [
        { atMs: 0, mode: 'HALTED', epoch: 0 },
        { atMs: 500, mode: 'ACTIVE', epoch: 1 },
        { atMs: 5_950, mode: 'HALTED', epoch: 1 },
      ],
      panics: [],
      audit: [
        { atMs: 5_950, event: 'state.halted', actor: 'exit-worker-1', cause: 'panic' },
        { atMs: 6_000, event: 'state.halted', actor: 'exit-worker-1', cause: 'again' },
      ],
      metrics: {},
    },
    timeline: [
      { atMs: 500, text: 'trading is ACTIVE' },
      { atMs: 3_000, text: 'SIGKILL to exit-brain-1' },
    ],
    totalMs: 9_500,
  };
}
