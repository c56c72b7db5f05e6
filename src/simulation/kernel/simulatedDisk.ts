/** Small files of simulated hosts: they outlive a process, and fail on command. */
import type { DurableFiles } from '../../durableFile.js';
import type { SimulatedProcess } from './simulatedProcess.js';

/** `full`: nothing can be written. `unsure`: what is written may not outlive the host, and the writer is told so. */
export type DiskFault = 'none' | 'full' | 'unsure';

class SimulatedDiskError extends Error {
  readonly code: string;

  constructor(code: string, file: string) {
    super(`${code}: ${file}`);
    this.code = code;
  }
}

/** How long a write with its fsync takes. */
const WRITE_MS = 2;

export class SimulatedDisk {
  readonly #files = new Map<string, string>();
  fault: DiskFault = 'none';

  /** The disk as this process reaches it. */
  filesOf(process: SimulatedProcess): DurableFiles {
    return {
      read: (file) => {
        const text = this.#files.get(file);
        if (text === undefined) throw new SimulatedDiskError('ENOENT', file);
        return text;
      },
      replace: async (file, text) => {
        await process.clock.sleep(WRITE_MS);
        if (this.fault === 'full') throw new SimulatedDiskError('ENOSPC', file);
        if (this.fault === 'none') this.#files.set(file, text);
        else throw new SimulatedDiskError('EIO', file);
      },
      remove: async (file) => {
        await process.clock.sleep(WRITE_MS);
        if (!this.#files.delete(file)) throw new SimulatedDiskError('ENOENT', file);
      },
    };
  }

  /** One bit of each file turns over. */
  flipBits(): void {
    for (const [file, text] of this.#files) {
      const at = text.length >> 1;
      this.#files.set(file, `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ 1)}${text.slice(at + 1)}`);
    }
  }
}
