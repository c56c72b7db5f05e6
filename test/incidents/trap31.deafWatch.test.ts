import { rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceDurably } from '../../src/durableFile.js';
import { fileSource } from '../../src/killSwitch/fileSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import { ConfigMapVolume } from '../killSwitch/support.js';
import { eventually } from '../support/eventually.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

const CHANGES = 120;
const KEY = 'EXECUTION_HALTED';

const contentOf = (change: number): string => (change % 2 === 0 ? '1' : '0');

describe('trap 31: a watch of a file goes deaf after the first swap', () => {
  let directory: string;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** How many of 120 changes a switch followed by its hints alone, and how many a watch of the file itself heard of. */
  async function follow(path: string, change: (content: string) => Promise<void>): Promise<{ seen: number; heard: number }> {
    const killSwitch = createKillSwitch({ sources: [fileSource(path)], maxStalenessMs: 60_000, pollMs: 30_000 });
    const watched: number[] = [];
    let current = -1;
    const watcher = watch(path, { persistent: false }, () => watched.push(current));
    await killSwitch.ready;
    let seen = 0;
    for (current = 0; current < CHANGES; current += 1) {
      const content = contentOf(current);
      await change(content);
      await eventually(() => killSwitch.isHalted() === (content === '1'));
      seen += 1;
    }
    watcher.close();
    await killSwitch.close();
    return { seen, heard: new Set(watched).size };
  }

  it('trap 31: of 120 swaps of a volume all are seen, where a watch of the file hears of a few at most', async () => {
    const volume = new ConfigMapVolume(directory, { [KEY]: '0' });
    const { seen, heard } = await follow(volume.path(KEY), async (content) => volume.write({ [KEY]: content }));
    expect(seen).toBe(CHANGES);
    expect(heard).toBeLessThanOrEqual(3);
  });

  it('trap 31: of 120 atomic replacements all are seen, where a watch of the file hears of a few at most', async () => {
    const path = join(directory, KEY);
    writeFileSync(path, '0');
    const { seen, heard } = await follow(path, (content) => replaceDurably(path, content));
    expect(seen).toBe(CHANGES);
    expect(heard).toBeLessThanOrEqual(3);
  });

  it('trap 31: of 120 writes in place all are seen', async () => {
    const path = join(directory, KEY);
    writeFileSync(path, '0');
    const { seen } = await follow(path, async (content) => writeFileSync(path, content));
    expect(seen).toBe(CHANGES);
  });
});
