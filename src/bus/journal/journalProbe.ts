/** Proves that the journal takes what is written and gives it back, and says which journal it is. */
import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
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
    const { clock } = this.#context;
    const sentMs = clock.monotonicMs();
    this.#count += 1;
    const proof = `${this.#context.generation} ${String(this.#count).padStart(12, '0')}`;
    try {
      this.#write(proof);
      // By its name and not by the descriptor: a journal that was moved or deleted must not answer.
      if (readFileSync(this.#path, 'utf8') !== proof) return { ok: false, detail: `${this.#path}: what was written did not come back` };
      const identity = currentIdentity(this.#context.root);
      return { ok: true, sentMs, roundTripMs: clock.monotonicMs() - sentMs, identity };
    } catch (error) {
      return { ok: false, detail: messageOf(error) };
    }
  }

  // In place, always the same length: a full disk does not fail a probe that has been written once.
  #write(proof: string): void {
    let fd: number;
    try {
      fd = openSync(this.#path, 'r+');
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT') throw error;
      ensureDirectory(this.#context, 'probe');
      fd = openSync(this.#path, 'wx', 0o600);
    }
    try {
      const written = writeSync(fd, proof, 0, 'utf8');
      if (written < proof.length) throw new Error(`${written} of ${proof.length} bytes fitted`);
    } finally {
      closeSync(fd);
    }
  }

  close(): void {
    try {
      unlinkSync(this.#path);
    } catch (error) {
      this.#context.logger.debug({ path: this.#path, error: messageOf(error) }, 'could not remove the probe file');
    }
  }
}
