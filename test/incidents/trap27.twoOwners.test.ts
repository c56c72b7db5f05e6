/** Two shutdown owners in one process: the first to finish exits before the second has drained. */
import { afterEach, describe, expect, it } from 'vitest';
import { endScripts, script } from '../process/scripts.js';

afterEach(endScripts);

describe('trap 27', () => {
  it('trap 27: close-with-grace, asked twice: the quick one ends the process under the slow one, and calls it a success', async () => {
    const child = script(`
      import closeWithGrace from 'close-with-grace';
      closeWithGrace(async () => { await sleep(50); say('quick is done'); });
      closeWithGrace(async () => { await sleep(1_000); say('slow is done'); });
      setInterval(() => undefined, 1_000);
      say('ready');
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect([await child.ending(), child.lines]).toEqual([0, ['ready', 'quick is done']]);
  });

  it('trap 27: S2: here whoever asks shares one owner, and each is waited for', async () => {
    const child = script(`
      handleSignals({ drainTimeoutMs: 100, forceAfterMs: 5_000 });
      handleSignals({ drainTimeoutMs: 2_000, forceAfterMs: 8_000 });
      onShutdown(async () => { await sleep(50); say('quick is done'); });
      onShutdown(async () => { await sleep(1_000); say('slow is done'); });
      order('a', 500);
      say('ready');
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect([await child.ending(), child.lines]).toEqual(['SIGTERM', ['ready', 'answered a', 'slow is done', 'quick is done']]);
  });
});
