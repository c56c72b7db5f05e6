/** The ground of one campaign: a directory under which everything of it lies, and a journal of what must be taken back, written first. */
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useTemporaryDirectory } from '../../process/environment.js';
import { systemRandom } from '../../random.js';
import { RigError } from '../../rig/child.js';
import type { Undone } from '../undo/action.js';
import { UndoJournal } from '../undo/journal.js';

export class OwnGround {
  readonly directory: string;
  readonly undo: UndoJournal;
  readonly #giveBack: () => void;

  private constructor(directory: string, undo: UndoJournal) {
    this.directory = directory;
    this.undo = undo;
    this.#giveBack = useTemporaryDirectory(directory);
  }

  /** From here on this process and those that it starts make their temporary files in the new directory: that tells them from all others. */
  static async open(): Promise<OwnGround> {
    const directory = join(tmpdir(), `failflat-run-${systemRandom.id().replaceAll('-', '').slice(0, 6)}`);
    const undo = await UndoJournal.open();
    undo.plan({ kind: 'remove-directory', path: directory });
    undo.plan({ kind: 'end-processes-of', path: directory });
    mkdirSync(directory, { mode: 0o700 });
    return new OwnGround(directory, undo);
  }

  /** Ends whoever is left of it, and removes it. Throws {@link RigError} where something could not be taken back. */
  async close(): Promise<void> {
    this.#giveBack();
    const failed = (await this.undo.close()).filter(({ outcome }: Undone) => outcome === 'failed');
    if (failed.length > 0) throw new RigError(`not taken back: ${failed.map(({ detail }) => detail).join('; ')}`);
  }
}
