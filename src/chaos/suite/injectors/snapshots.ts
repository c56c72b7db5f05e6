/** Corrupts every snapshot of the trading state, and watches whether anyone believes what it reads meanwhile. */
import { openBus } from '../../../bus/openBus.js';
import { systemClock } from '../../../clock.js';
import { RigError } from '../../../rig/child.js';
import { readTradingState } from '../../../tradingState/read.js';
import { corrupt, DETECTION_MS, differing, restore, snapshotsOf, untilDoubted } from '../../run/scenarios/snapshot.js';
import type { Scene } from '../scene.js';
import type { Injector } from './injector.js';

const READ_EVERY_MS = 20;
const READS_NEEDED = 20;

/** Readings that were believed, of all that were tried. */
async function believed(scene: Scene, forMs: number): Promise<{ readonly reads: number; readonly trusted: number }> {
  const bus = await openBus(scene.conductor.cast.bus.url);
  const counts = { reads: 0, trusted: 0 };
  const untilMs = systemClock.monotonicMs() + forMs / scene.scale;
  try {
    while (systemClock.monotonicMs() < untilMs && !scene.isStopped) {
      counts.reads += 1;
      await readTradingState(bus).then(
        () => (counts.trusted += 1),
        () => undefined,
      );
      await scene.conductor.sleep(READ_EVERY_MS);
    }
  } finally {
    await bus.close();
  }
  return counts;
}

export const corruptSnapshots: Injector<'corrupt_snapshots'> = async ({ for_ms: forMs }, scene) => {
  const { stage, conductor } = scene;
  const snapshots = await snapshotsOf(conductor.cast.bus.url.slice('journal:'.length));
  if (snapshots.length === 0) throw new RigError('the journal keeps no snapshot that could be corrupted');
  const fromMs = scene.began();
  await corrupt(snapshots);
  conductor.say(`a bit was flipped in each of ${snapshots.length} snapshots`);
  const doubtedMs = await untilDoubted(stage, fromMs);
  stage.detection = { withinMs: DETECTION_MS, seenMs: doubtedMs === undefined ? undefined : doubtedMs - fromMs };
  const { reads, trusted } = await believed(scene, forMs);
  scene.dose({
    what: 'snapshots that are not what was written',
    target: snapshots.length,
    measured: await differing(snapshots),
    unit: 'files',
  });
  scene.judged('trust', 'nothing that is corrupted is believed', {
    passed: trusted === 0 && reads >= READS_NEEDED,
    evidence: `${trusted} of ${reads} readings were believed, at least ${READS_NEEDED} are needed`,
  });
  await restore(snapshots);
  const untilMs = scene.ended();
  conductor.marks.outage = { fromMs, untilMs };
  conductor.say('the snapshots are put right');
};
