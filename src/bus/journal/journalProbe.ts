/** Proves that the journal takes what is written and gives it back, and says which journal it is. */
import { join } from 'node:path';
import { messageOf, systemCodeOf } from '../../errors.js';
import type { ProbeResult } from '../bus.js';
import { currentIdentity, ensureDirectory, type JournalContext } from './context.js';

export class JournalProbe {
  readonly #context: JournalContext;
  readonly #path: string;
  #count = 0;

  constructor(context: JournalContext) {
    this.#context = context;
    this.#path = join(context.root, 'probe', context.generation);
  }

  async probe(): Promise<ProbeResult> {
    if (this.#context.closing.aborted) return { ok: false, detail: 'the bus is closed' };
    const { clock, files } = this.#context;
    const sentMs = clock.monotonicMs();
    this.#count += 1;
    const proof = `${this.#context.generation} ${String(this.#count).padStart(12, '0')}`;
    try {
      this.#write(proof);
      // By its name and not by the descriptor: a journal that was moved or deleted must not answer.
      if (files.readAll(this.#path).toString('utf8') !== proof)
        return { ok: false, detail: `${this.#path}: what was written did not come back` };
      const identity = currentIdentity(this.#context);
      return { ok: true, sentMs, roundTripMs: clock.monotonicMs() - sentMs, identity };
    } catch (error) {
      return { ok: false, detail: messageOf(error) };
    }
  }

  // In place, always the same length: a full disk does not fail a probe that has been written once.
  #write(proof: string): void {
    const { files } = this.#context;
    let fd: number;
    try {
      fd = files.open(this.#path, 'update');
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT') throw error;
      ensureDirectory(this.#context, 'probe');
      fd = files.open(this.#path, 'create');
    }
    try {
      const written = files.write(fd, Buffer.from(proof));
      if (written < proof.length) throw new Error(`${written} of ${proof.length} bytes fitted`);
    } finally {
      files.close(fd);
    }
  }

  close(): void {
    try {
      this.#context.files.unlink(this.#path);
    } catch (error) {
      this.#context.logger.debug({ path: this.#path, error: messageOf(error) }, 'could not remove the probe file');
    }
  }
}
