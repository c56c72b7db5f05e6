/** The process is the first one of a container: re-raising the signal does not end it. */
import { afterEach, describe, expect, it } from 'vitest';
import { DIST, endScripts, preludeOf, started } from '../process/scripts.js';
import { TestChild } from '../support/childProcess.js';

afterEach(endScripts);

async function firstProcess(code: string): Promise<{ readonly child: TestChild; readonly outsidePid: number }> {
  const all = `
    ${preludeOf(DIST)}
    import { readlinkSync } from 'node:fs';
    ${code}
    setInterval(() => undefined, 1_000);
    say('pid ' + process.pid + ', outside ' + readlinkSync('/proc/self'));
  `;
  const node = [process.execPath, '--input-type=module', '--eval', all];
  const child = started(new TestChild('unshare', ['--pid', '--fork', '--user', '--map-root-user', ...node]));
  const line = await child.line(/^pid 1, outside \d+$/).catch((error: unknown) => {
    // No skip: a host that cannot make a namespace has shown nothing.
    throw new Error(`no process could be started as the first one of a namespace: ${child.errors}`, { cause: error });
  });
  return { child, outsidePid: Number(line.split(' ').at(-1)) };
}

describe('trap 51', () => {
  it('trap 51: terminus re-raises the signal, and stays', async () => {
    const { child, outsidePid } = await firstProcess(`
      import { createServer } from 'node:http';
      import terminus from '@godaddy/terminus';
      terminus.createTerminus(createServer().listen(0), { onShutdown: async () => setTimeout(() => say('still here'), 500) });
    `);
    process.kill(outsidePid, 'SIGTERM');
    await child.line('still here');
    process.kill(outsidePid, 'SIGKILL');
    await child.ending();
  });

  it('trap 51: here it ends, with the code by which containers know the signal', async () => {
    const { child, outsidePid } = await firstProcess(`handleSignals(); onShutdown(() => say('hook')); order('a', 200);`);
    process.kill(outsidePid, 'SIGTERM');
    expect([await child.ending(), child.lines.slice(1), child.errors]).toEqual([143, ['answered a', 'hook'], '']);
  });

  it('trap 51: a hung drain there is ended by a further signal too', async () => {
    const { child, outsidePid } = await firstProcess(`
      handleSignals({ deadWindowMs: 0 });
      order('hung');
      shutdownGate.signal.addEventListener('abort', () => say('asked'));
    `);
    process.kill(outsidePid, 'SIGTERM');
    await child.line('asked');
    process.kill(outsidePid, 'SIGINT');
    expect(await child.ending()).toBe(130);
  });
});
