/** Makes one fault of a suite, whatever its kind. */

import type { Scene } from '../scene.js';
import type { SuiteFault } from '../schema.js';
import { partition, rollBackBus } from './bus.js';
import { blockLoop, freeze, kill, revokeBeats, stepClock } from './processes.js';
import { burnCpu, takeMemory, writeDisk } from './siege.js';
import { corruptSnapshots } from './snapshots.js';

/** Resolves when it is over. Rejects with RigError where it could not be made. */
export async function make(fault: SuiteFault, scene: Scene): Promise<void> {
  await scene.hold(fault.at_ms);
  if (scene.isStopped) return scene.conductor.say(`${fault.kind} is not made any more`);
  switch (fault.kind) {
    case 'kill':
      return kill(fault, scene);
    case 'freeze':
      return freeze(fault, scene);
    case 'revoke_beats':
      return revokeBeats(fault, scene);
    case 'block_loop':
      return blockLoop(fault, scene);
    case 'partition':
      return partition(fault, scene);
    case 'corrupt_snapshots':
      return corruptSnapshots(fault, scene);
    case 'burn_cpu':
      return burnCpu(fault, scene);
    case 'take_memory':
      return takeMemory(fault, scene);
    case 'write_disk':
      return writeDisk(fault, scene);
    case 'step_clock':
      return stepClock(fault, scene);
    case 'roll_back_bus':
      return rollBackBus(fault, scene);
  }
}
