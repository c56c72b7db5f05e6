/** Worker threads get no signals, and cluster workers end with their primary: what holds there, on real ones. */
import { afterEach, describe, expect, it } from 'vitest';
import { TestChild } from '../support/childProcess.js';
import { DIST, endScripts, preludeOf, script, started } from './scripts.js';

afterEach(endScripts);

const worker = (code: string): string => `
  import { Worker } from 'node:worker_threads';
  const start = (code) => new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));
  const thread = start(${JSON.stringify(preludeOf(DIST))} + ${JSON.stringify(code)});
`;

describe('worker threads', () => {
  it('S3: asking for signals where none are heard is refused, not ignored', async () => {
    const child = script(worker(`try { handleSignals(); } catch (error) { say(error.code + ': ' + error.field); }`));
    expect([await child.ending(), child.lines]).toEqual([0, ['configuration: handleSignals']]);
  });

  it('hooks, loops and orders of a thread work there, and its failed loop does not end the main thread', async () => {
    const child = script(`
      ${worker(`
        onShutdown(({ reason }) => say('hook of the thread: ' + reason));
        order('a', 50);
        await runUntilShutdown(() => { throw new Error('no bars'); }, { name: 'pairs' });
      `)}
      handleSignals();
      setInterval(() => undefined, 1_000);
      thread.on('error', (error) => say('main hears: ' + error.message + ', shut: ' + shutdownGate.requested));
    `);
    await child.line('main hears: no bars, shut: false');
    expect(child.lines.slice(0, 2)).toEqual(['answered a', 'hook of the thread: loop pairs failed: no bars']);
    child.signal('SIGTERM');
    expect(await child.ending()).toBe('SIGTERM');
  });

  it('one that never gives way does not hold the end of the process', async () => {
    const child = script(`
      ${worker(`say('busy'); for (;;);`)}
      handleSignals();
      onShutdown(() => say('hook'));
      setInterval(() => undefined, 1_000);
    `);
    await child.line('busy');
    child.signal('SIGTERM');
    expect([await child.ending(), child.lines]).toEqual(['SIGTERM', ['busy', 'hook']]);
  });
});

describe('a gate that threads share', () => {
  it('S1, S2: a signal to the process stops the orders of a thread in the same step, and waits for the one under way', async () => {
    const child = script(`
      import { Worker } from 'node:worker_threads';
      const shared = failflat.sharedGateMemory();
      handleSignals({ gates: [failflat.createShutdownGate({ shared })] });
      let heard;
      const refusal = new Promise((resolve) => { heard = resolve; });
      onShutdown(async ({ report }) => {
        const hookAt = process.hrtime.bigint();
        const { told, answeredAt } = await refusal;
        say('the thread is told ' + told);
        say('drained: ' + report.drained + ', hook after the last answer: ' + (hookAt >= answeredAt));
      });
      const code = ${JSON.stringify(`${preludeOf(DIST)}
        import { parentPort, workerData } from 'node:worker_threads';
        const gate = failflat.createShutdownGate({ shared: workerData });
        let answeredAt;
        const send = guardOrderSubmission((id) => sleep(400).then(() => { say('answered ' + id); answeredAt = process.hrtime.bigint(); }), { gate });
        void send('first');
        say('first is under way');
        let admission;
        for (let n = 1; (admission = send.trySubmit('order ' + n)).ok; n += 1) await admission.outcome;
        parentPort.postMessage({ told: admission.code + ': ' + admission.reason, answeredAt });
      `)};
      new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)), { workerData: shared }).on('message', heard);
    `);
    await child.line('answered order 1');
    child.signal('SIGTERM');
    expect(await child.ending()).toBe('SIGTERM');
    // Printed by the main thread, which is asked for what the other one was told: a thread's own last words may be lost.
    expect(child.lines).toContain('the thread is told shutdown_requested: SIGTERM');
    expect(child.lines).toContain('drained: true, hook after the last answer: true');
    expect(child.errors).toBe('');
  });
});

describe('clusters', () => {
  const fixture = new URL('../fixtures/process/cluster.mjs', import.meta.url);
  const all = ['worker answered', 'worker answered', 'worker ended: SIGTERM', 'worker ended: SIGTERM', 'worker hook', 'worker hook'];

  /** A worker on a busy machine may have its answer before the primary has said that all are there. */
  const afterStart = ({ lines }: TestChild) => lines.filter((line) => line !== 'ready').toSorted();

  it('S2: a primary that alone gets the signal lets its workers drain before it ends', async () => {
    const child = started(TestChild.node(fixture));
    await child.line('ready');
    child.signal('SIGTERM');
    expect(await child.ending()).toBe('SIGTERM');
    expect(afterStart(child)).toEqual(all);
    expect(child.errors).toBe('');
  });

  it('S2: a signal to the whole group, and that of the primary after it, are one', async () => {
    const child = started(new TestChild('setsid', [process.execPath, fixture.pathname]));
    await child.line('ready');
    process.kill(-child.pid, 'SIGINT');
    expect(await child.ending()).toBe('SIGINT');
    expect(afterStart(child)).toEqual(all.map((line) => line.replace('SIGTERM', 'SIGINT')));
    expect(child.errors).toBe('');
  });
});
