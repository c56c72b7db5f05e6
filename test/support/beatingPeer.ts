/** A watchdog or a worker that only beats, in the place of a process of its own. */
import type { Bus } from '../../src/bus/bus.js';
import { systemClock } from '../../src/clock.js';
import { EXIT_WORKER_HEARTBEAT, encodePeerBeat, WATCHDOG_HEARTBEAT } from '../../src/messages/peerBeat.js';

const WORKER = { worker: { account: 'default', identityMatches: true, bookAgeMs: 0, positions: 1 } };

/** Returns how to stop. */
export function beatAs(kind: 'watchdog' | 'worker', bus: Bus): () => void {
  const stream = kind === 'worker' ? EXIT_WORKER_HEARTBEAT : WATCHDOG_HEARTBEAT;
  let sequence = 0;
  let beating = true;
  const beat = () => {
    if (!beating) return;
    sequence += 1;
    // In one process they would not count.
    const pid = kind === 'worker' ? 1 : 2;
    const peer = { peerId: kind, generation: 'g', sequence, host: 'elsewhere', bootId: 'b', pid, epoch: 1 };
    const fields = encodePeerBeat({ ...peer, ...(kind === 'worker' ? WORKER : {}) });
    void bus.append(stream, fields, { key: kind, notAfterMs: systemClock.monotonicMs() + 125 });
    systemClock.setTimer(100, beat);
  };
  beat();
  return () => {
    beating = false;
  };
}
