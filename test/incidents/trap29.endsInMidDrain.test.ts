/** A drain waits on a bare promise or on a timer that does not hold the process: it exits with 0 in the middle of the drain. */
import { afterEach, describe, expect, it } from 'vitest';
import { endScripts, script } from '../process/scripts.js';

afterEach(endScripts);

/** An order whose answer comes over something that does not hold the process, as clients with keep-alive sockets do it. */
const LOOSE = `
  const loose = guardOrderSubmission(() => new Promise((resolve) => setTimeout(resolve, 500).unref()), { label: () => 'loose' });
  const answered = loose().then(() => say('answered'));
`;

describe('trap 29', () => {
  it('trap 29: terminus: the wait for the order holds nothing, and the process ends with 0 before the answer', async () => {
    const child = script(`
      import { createServer } from 'node:http';
      import terminus from '@godaddy/terminus';
      ${LOOSE}
      const server = createServer().listen(0, () => say('ready'));
      terminus.createTerminus(server, { onSignal: () => answered });
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect([await child.ending(), child.lines]).toEqual([0, ['ready']]);
  });

  it('trap 29: S2: here the process is held until the drain is over, and the hooks are done', async () => {
    const child = script(`
      import { createServer } from 'node:http';
      ${LOOSE}
      const server = createServer().listen(0, () => say('ready'));
      handleSignals();
      onShutdown(() => new Promise((resolve) => setTimeout(() => { say('hook'); resolve(); }, 300).unref()));
      shutdownGate.signal.addEventListener('abort', () => server.close());
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect([await child.ending(), child.lines, child.errors]).toEqual(['SIGTERM', ['ready', 'answered', 'hook'], '']);
  });

  it('trap 29: S2: also where the program itself requests the shutdown, and nobody handles signals', async () => {
    const child = script(`
      ${LOOSE}
      onShutdown(() => new Promise((resolve) => setTimeout(() => { say('hook'); resolve(); }, 300).unref()));
      requestShutdown('done');
    `);
    expect([await child.ending(), child.lines, child.errors]).toEqual([0, ['answered', 'hook'], '']);
  });
});
