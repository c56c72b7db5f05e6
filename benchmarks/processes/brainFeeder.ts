/** A process that beats for many exit brains at once, one beat a second each, evenly spread; told to, it lets some of them die. */
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { EXIT_BRAIN_HEARTBEAT, encodeBrainBeat } from '../../src/messages/heartbeat.js';

const [, , url = '', countText = '0'] = process.argv;
const count = Number(countText);
const TICK_MS = 10;
const PERIOD_MS = 1_000;

const bus = await openBus(url);
const lastBeatMs = new Map<number, number>();
const dead = new Set<number>();
let sequence = 0;
let next = 0;

async function beat(service: number): Promise<void> {
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
  if (outcome.outcome === 'committed') lastBeatMs.set(service, nowMs);
}

process.on('message', (message: { kill?: readonly number[] }) => {
  for (const service of message.kill ?? []) dead.add(service);
  process.send?.({ died: (message.kill ?? []).map((service) => [`account-${service}`, lastBeatMs.get(service)]) });
});

const startMs = systemClock.monotonicMs();
while (process.connected) {
  const nowMs = systemClock.monotonicMs();
  const due = Math.floor(((nowMs - startMs) / PERIOD_MS) * count);
  for (; next < due; next += 1) {
    const service = next % count;
    sequence = 1 + Math.floor(next / count);
    if (!dead.has(service)) await beat(service);
  }
  await systemClock.sleep(TICK_MS);
}

await bus.close();
