/** Whether the memory of a Redis server stays flat while services beat on it, once it holds all that it ever keeps of their beats. */
import { HEARTBEAT_RETENTION_MS } from '../../src/bus/policy.js';
import { systemClock } from '../../src/clock.js';
import { EXIT_BRAIN_HEARTBEAT } from '../../src/messages/heartbeat.js';
import { PANIC_CLOSE } from '../../src/messages/panicClose.js';
import type { RedisServer } from '../../src/rig/redis/server.js';
import { type BudgetRow, budgetRow, median } from '../budget.js';
import type { Load } from './load.js';
import type { Place } from './places.js';

const EVERY_MS = 5_000;
/** Until then it fills: beats are kept for so long, and are removed with the blocks that they stand in. */
const FILLED_MS = HEARTBEAT_RETENTION_MS + 10_000;
const MIB = 1_024 * 1_024;
/** With fewer beats than that, what was watched is another load: there is no figure. */
const FED = 0.95;

interface Sample {
  readonly usedBytes: number;
  readonly residentBytes: number;
  readonly beatsKept: number;
  /** What the beats themselves take: the rest are records that are never removed, and the server's own. */
  readonly beatBytes: number;
}

async function sample(server: RedisServer): Promise<Sample> {
  const [used, resident, kept, beats] = await Promise.all([
    server.info('used_memory'),
    server.info('used_memory_rss'),
    server.command('XLEN', EXIT_BRAIN_HEARTBEAT),
    server.command('MEMORY', 'USAGE', EXIT_BRAIN_HEARTBEAT, 'SAMPLES', 0),
  ]);
  return { usedBytes: Number(used), residentBytes: Number(resident), beatsKept: Number(kept), beatBytes: Number(beats) };
}

async function samplesOf(server: RedisServer, forMs: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const fromMs = systemClock.monotonicMs();
  for (let dueMs = fromMs; dueMs <= fromMs + forMs; dueMs += EVERY_MS) {
    await systemClock.sleep(Math.max(0, dueMs - systemClock.monotonicMs()));
    samples.push(await sample(server));
  }
  return samples;
}

/** Median of the last third over the median of the first third: one figure for all of the time. */
function growthOf(samples: readonly Sample[], figure: (one: Sample) => number): number {
  const third = Math.floor(samples.length / 3);
  return median(samples.slice(-third).map(figure)) / median(samples.slice(0, third).map(figure));
}

/** Ends the load and the place. */
export async function memoryRows(place: Place, load: Load, size: number, minutes: number): Promise<BudgetRow[]> {
  const { server } = place;
  if (server === undefined) throw new Error('a bus on Redis has a server');
  try {
    const filling = await samplesOf(server, FILLED_MS);
    const sentBefore = await load.feeder.tell([]);
    const fromMs = systemClock.monotonicMs();
    const samples = await samplesOf(server, minutes * 60_000);
    const sent = await load.feeder.tell([]);
    const seconds = (systemClock.monotonicMs() - fromMs) / 1_000;
    const panics = Number(await server.command('XLEN', PANIC_CLOSE));
    const beatsPerSecond = (sent.committed - sentBefore.committed) / seconds;
    // Panics of a moment in which the sender stood still only add to what is kept: they are told, and hide no growth.
    const asTold = beatsPerSecond >= size * FED;
    const mib = (one: Sample) => one.usedBytes / MIB;
    const shown = (list: readonly Sample[]) => list.map((one) => mib(one).toFixed(2)).join(' ');
    console.log(`${size} services, MiB while it fills: ${shown(filling)}\n${size} services, MiB from then on: ${shown(samples)}`);
    return [
      budgetRow(
        `redis memory, ${size} services, last third over first third of ${minutes} min`,
        1.05,
        [asTold ? growthOf(samples, (one) => one.usedBytes) : Number.NaN],
        {
          'used_memory MiB, first third': median(samples.slice(0, Math.floor(samples.length / 3)).map(mib)),
          'used_memory MiB, last third': median(samples.slice(-Math.floor(samples.length / 3)).map(mib)),
          'used_memory MiB, highest': Math.max(...samples.map(mib)),
          'resident, last third over first third': growthOf(samples, (one) => one.residentBytes),
          'heartbeats alone, last third over first third': growthOf(samples, (one) => one.beatBytes),
          'beats kept': median(samples.map((one) => one.beatsKept)),
          'beats a second': beatsPerSecond,
          'beats that failed': sent.failed - sentBefore.failed,
          panics,
          samples: samples.length,
        },
      ),
    ];
  } finally {
    await load.end();
    await place.dispose();
  }
}
