/** A shutdown hook hangs, and makes further signals useless: the process must be killed. */
import { afterEach, describe, expect, it } from 'vitest';
import { endScripts, script } from '../process/scripts.js';

afterEach(endScripts);

/** Says each signal that it hears, and a moment after the third that it is still there. */
const COUNTING = `
  let heard = 0;
  process.on('SIGTERM', () => {
    heard += 1;
    say('heard ' + heard);
    if (heard === 3) setTimeout(() => say('still here'), 500);
  });
  setInterval(() => undefined, 1_000);
  say('ready');
`;

describe('trap 28', () => {
  it('trap 28: terminus: with a hook that hangs the process ignores every further signal', async () => {
    const child = script(`
      import { createServer } from 'node:http';
      import terminus from '@godaddy/terminus';
      terminus.createTerminus(createServer().listen(0), { onSignal: () => new Promise(() => undefined) });
      ${COUNTING}
    `);
    await child.line('ready');
    for (const line of ['heard 1', 'heard 2', 'heard 3']) {
      child.signal('SIGTERM');
      await child.line(line);
    }
    await child.line('still here');
    await child.kill();
    expect(await child.ending()).toBe('SIGKILL');
  });

  it('trap 28: here a further signal ends it, and without one the budget does', async () => {
    const child = script(`
      handleSignals({ deadWindowMs: 0, drainTimeoutMs: 20_000, forceAfterMs: 30_000 });
      onShutdown(() => new Promise(() => undefined), { name: 'hung', timeoutMs: 25_000 });
      ${COUNTING}
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    await child.line('heard 1');
    child.signal('SIGTERM');
    expect([await child.ending(), child.errors]).toEqual([
      'SIGTERM',
      'failflat: shutdown (SIGTERM): hooks that did not end well: "hung"\n',
    ]);

    const patient = script(`
      handleSignals({ drainTimeoutMs: 100, forceAfterMs: 500 });
      onShutdown(() => new Promise(() => undefined), { name: 'hung', timeoutMs: 25_000 });
      ${COUNTING}
    `);
    await patient.line('ready');
    patient.signal('SIGTERM');
    expect(await patient.ending()).toBe('SIGTERM');
  });
});
