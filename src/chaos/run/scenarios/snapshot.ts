/** What the bus keeps of the trading state is corrupted on its disk: nothing of it may be trusted, and nothing is traded meanwhile. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openBus } from '../../../bus/openBus.js';
import { systemClock } from '../../../clock.js';
import { RigError } from '../../../rig/child.js';
import { readTradingState } from '../../../tradingState/read.js';
import type { ChaosScenario } from '../scenario.js';
import type { Stage } from '../stage.js';
import { OUTAGE, outageEnded, untilRefusing } from './outages.js';

/** A corruption that takes longer to be seen was believed meanwhile. */
export const DETECTION_MS = 200;
const FLIPPED_BIT = 0x04;

export interface Snapshot {
  readonly file: string;
  readonly intact: Buffer;
}

/** Every kept version of every latched value of a journal. */
export async function snapshotsOf(journal: string): Promise<readonly Snapshot[]> {
  const root = join(journal, 'latches');
  const names = await readdir(root, { recursive: true });
  const files = names.filter((name) => /(^|[\\/])latch\.\d+$/.test(name)).map((name) => join(root, name));
  return Promise.all(files.map(async (file) => ({ file, intact: await readFile(file) })));
}

/** One bit in the middle of each: as a disk does it that forgets, with lengths and names as they were. */
export async function corrupt(snapshots: readonly Snapshot[]): Promise<void> {
  for (const { file, intact } of snapshots) {
    const damaged = Buffer.from(intact);
    const middle = Math.floor(damaged.length / 2);
    damaged[middle] = (damaged[middle] ?? 0) ^ FLIPPED_BIT;
    await writeFile(file, damaged);
  }
}

export const restore = (snapshots: readonly Snapshot[]): Promise<unknown> =>
  Promise.all(snapshots.map(({ file, intact }) => writeFile(file, intact)));

/** Another reader of the same bus, which is asked until it refuses to believe what it reads. */
export async function untilDoubted(stage: Stage, fromMs: number): Promise<number | undefined> {
  const { conductor } = stage;
  const bus = await openBus(conductor.cast.bus.url);
  try {
    for (let nowMs = fromMs; nowMs < fromMs + 10 * DETECTION_MS; nowMs = systemClock.monotonicMs()) {
      const isDoubted = await readTradingState(bus).then(
        () => false,
        () => true,
      );
      if (isDoubted) return systemClock.monotonicMs();
      await systemClock.sleep(2);
    }
    return undefined;
  } finally {
    await bus.close();
  }
}

export async function differing(snapshots: readonly Snapshot[]): Promise<number> {
  const now = await Promise.all(snapshots.map(({ file }) => readFile(file)));
  return snapshots.filter(({ intact }, index) => now[index]?.equals(intact) === false).length;
}

export const snapshotCorruption: ChaosScenario = {
  ...OUTAGE,
  name: 'snapshot_corruption',
  summary: 'a bit flips in every snapshot that the bus keeps of the trading state, and is put right later',
  buses: ['journal'],
  needs: [],
  run: async (stage) => {
    const { conductor } = stage;
    await stage.trade();
    const snapshots = await snapshotsOf(conductor.cast.bus.url.slice('journal:'.length));
    if (snapshots.length === 0) throw new RigError('the journal keeps no snapshot that could be corrupted');
    const fromMs = systemClock.monotonicMs();
    await corrupt(snapshots);
    stage.onsetMs = fromMs;
    conductor.say(`a bit was flipped in each of ${snapshots.length} snapshots`);
    const doubtedMs = await untilDoubted(stage, fromMs);
    stage.detection = { withinMs: DETECTION_MS, seenMs: doubtedMs === undefined ? undefined : doubtedMs - fromMs };
    stage.doses.push({
      what: 'snapshots that are not what was written',
      target: snapshots.length,
      measured: await differing(snapshots),
      unit: 'files',
    });
    await untilRefusing(stage, fromMs);
    await restore(snapshots);
    conductor.say('the snapshots are put right');
    await outageEnded(stage, fromMs, systemClock.monotonicMs(), 'time without an intact snapshot');
  },
};
