/** A process that beats for many exit brains at once, one beat a second each, evenly spread; told to, it lets some of them die. */
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { EXIT_BRAIN_HEARTBEAT, encodeBrainBeat } from '../../src/messages/heartbeat.js';

const [, , url = '', countText = '0'] = process.argv;
const count = Number(countText);
const TICK_MS = 10;
const PERIOD_MS = 1_000;
/** Under way together at most. One connection that is given more than it can carry in time would carry nothing. */
const TOGETHER = 250;

const bus = await openBus(url);
const lastBeatMs = new Map<number, number>();
const dead = new Set<number>();
let committed = 0;
let failed = 0;
let next = 0;
let underway: Promise<unknown> = Promise.resolve();

async function beat(service: number, sequence: number): Promise<void> {
  const nowMs = systemClock.monotonicMs();
  const fields = encodeBrainBeat({
    serviceId: `brain-${service}`,
    // Each in an account of its own: there is one panic for each account.
    account: `account-${service}`,
    generation: `generation-${service}`,
    sequence,
    decisionSequence: sequence,
    status: 'OK',
    activePositions: 1,
    lastDecisionWallMs: systemClock.wallMs(),
    latencyMs: 1,
    wallMs: systemClock.wallMs(),
  });
  const outcome = await bus.append(EXIT_BRAIN_HEARTBEAT, fields, { key: `brain-${service}`, notAfterMs: nowMs + PERIOD_MS });
  if (outcome.outcome === 'committed') {
    committed += 1;
    lastBeatMs.set(service, nowMs);
  } else failed += 1;
}

/** Services do not wait for each other: what is due together is sent together, and answered together. */
async function beatAllDue(due: number): Promise<void> {
  // Whoever was held up says only that it is alive now, not everything that it could not say meanwhile.
  next = Math.max(next, due - count);
  while (next < due) {
    const beats: Promise<void>[] = [];
    for (; next < due && beats.length < TOGETHER; next += 1) {
      const service = next % count;
      if (!dead.has(service)) beats.push(beat(service, 1 + Math.floor(next / count)));
    }
    await Promise.all(beats);
  }
}

async function tell(kill: readonly number[]): Promise<void> {
  for (const service of kill) dead.add(service);
  // A beat that is on its way is still the last one.
  await underway;
  process.send?.({ committed, failed, died: kill.map((service) => [`account-${service}`, lastBeatMs.get(service)]) });
}

process.on('message', ({ kill = [] }: { kill?: readonly number[] }) => {
  void tell(kill);
});

process.send?.('ready');

const startMs = systemClock.monotonicMs();
while (process.connected) {
  underway = beatAllDue(Math.floor(((systemClock.monotonicMs() - startMs) / PERIOD_MS) * count));
  await underway;
  await systemClock.sleep(TICK_MS);
}

await bus.close();
