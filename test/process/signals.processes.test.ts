/** Real processes and real signals: what ends, how, and what whoever started it sees. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { TestChild } from '../support/childProcess.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';
import { DIST, endScripts, preludeOf, script, started } from './scripts.js';

afterEach(endScripts);

describe('the exit status', () => {
  it('S1, S2, L5: SIGTERM: nothing begins, what had begun is drained, hooks run the last first, and the parent sees SIGTERM', async () => {
    const child = script(`
      handleSignals();
      onShutdown(() => say('first registered'));
      onShutdown(async ({ reason, report }) => { await sleep(20); say('last registered, ' + reason + ', drained ' + report.drained); });
      order('a', 300);
      shutdownGate.signal.addEventListener('abort', () => say('late order: ' + submit.trySubmit('b').code));
      say('ready');
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect(await child.ending()).toBe('SIGTERM');
    expect(child.lines).toEqual([
      'ready',
      'late order: shutdown_requested',
      'answered a',
      'last registered, SIGTERM, drained true',
      'first registered',
    ]);
    expect(child.errors).toBe('');
  });

  it('SIGINT, twice: the second one within the dead window is the same one, one after it ends the process at once', async () => {
    const child = script(`
      handleSignals({ deadWindowMs: 300, drainTimeoutMs: 20_000, forceAfterMs: 30_000 });
      order('hung');
      setInterval(() => undefined, 1_000);
      shutdownGate.signal.addEventListener('abort', () => { say('asked'); setTimeout(() => say('window is over'), 350); });
      say('ready');
    `);
    await child.line('ready');
    child.signal('SIGINT');
    await child.line('asked');
    child.signal('SIGINT');
    await child.line('window is over');
    child.signal('SIGINT');
    expect(await child.ending()).toBe('SIGINT');
    expect(child.errors).toContain('failflat: shutdown (SIGINT): orders without an answer: "hung" (in_flight, ');
  });

  it('a shutdown that the program requests ends with the exit code that it has set', async () => {
    const child = script(`
      handleSignals();
      process.exitCode = 3;
      onShutdown(() => say('hook'));
      setInterval(() => undefined, 1_000);
      requestShutdown('done');
    `);
    expect([await child.ending(), child.lines, child.errors]).toEqual([3, ['hook'], '']);
  });

  it('S13: handling signals neither keeps a process alive nor ends it', async () => {
    const child = script(
      `handleSignals({ uncaughtException: true }); onShutdown(() => say('hook')); runUntilShutdown(() => say('worked'));`,
    );
    expect([await child.ending(), child.lines, child.errors]).toEqual([0, ['worked'], '']);
  });

  it('S2: a drain that does not end is ended at its timeout, with every order by name on standard error', async () => {
    const child = script(`
      handleSignals({ drainTimeoutMs: 200, forceAfterMs: 5_000 });
      order('order-1'); order('order-2');
      onShutdown(({ report }) => say('unfinished ' + report.unfinished.map(({ label }) => label)));
      setTimeout(() => undefined, 300_000);
      say('ready');
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect(await child.ending()).toBe('SIGTERM');
    expect(child.lines).toEqual(['ready', 'unfinished order-1,order-2']);
    expect(child.errors).toMatch(
      /^failflat: shutdown \(SIGTERM\): orders without an answer: "order-1" \(in_flight, \d+ ms\), "order-2" \(in_flight, \d+ ms\)\n$/,
    );
  });

  it('S2: a program whose top level ends, or throws, in the middle of a drain is drained all the same', async () => {
    const child = script(`
      handleSignals();
      order('a', 300);
      onShutdown(() => say('hook'));
      say('ready');
      await runUntilShutdown(async (signal) => { await new Promise((resolve) => signal.addEventListener('abort', resolve)); throw new Error('clumsy end'); }, { name: 'pairs' });
      say('never said: the process is ended first');
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect(await child.ending()).toBe(1);
    expect(child.lines).toEqual(['ready', 'answered a', 'hook']);
    expect(child.errors).toMatch(/^failflat: loop pairs failed: clumsy end: Error: clumsy end\n {4}at /);
  });
});

describe('what hangs', () => {
  it('a hook that never ends holds neither the others nor the process', async () => {
    const child = script(`
      handleSignals({ drainTimeoutMs: 100, forceAfterMs: 1_000 });
      onShutdown(() => say('the other one'));
      onShutdown(() => new Promise(() => undefined), { name: 'hung', timeoutMs: 300 });
      say('ready');
      setInterval(() => undefined, 1_000);
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect([await child.ending(), child.lines.at(-1)]).toEqual(['SIGTERM', 'the other one']);
    expect(child.errors).toBe('failflat: shutdown (SIGTERM): hooks that did not end well: "hung"\n');
  });

  it('a hook with all the time in the world is ended with the budget', async () => {
    const child = script(`
      handleSignals({ drainTimeoutMs: 100, forceAfterMs: 400 });
      onShutdown(() => new Promise(() => undefined), { name: 'hung', timeoutMs: 60_000 });
      setInterval(() => undefined, 1_000);
      say('ready');
    `);
    await child.line('ready');
    child.signal('SIGINT');
    expect([await child.ending(), child.errors]).toEqual(['SIGINT', 'failflat: shutdown (SIGINT): hooks that did not end well: "hung"\n']);
  });

  it('a loop that throws asks for the shutdown: hooks run, exit code 1, and the stack is told', async () => {
    const child = script(`
      handleSignals();
      onShutdown(({ reason }) => say(reason));
      order('a', 200);
      await runUntilShutdown(() => { throw new RangeError('no bars'); }, { name: 'mean-reversion', everyMs: 1_000 });
    `);
    expect([await child.ending(), child.lines]).toEqual([1, ['answered a', 'loop mean-reversion failed: no bars']]);
    expect(child.errors).toMatch(/RangeError: no bars\n {4}at /);
  });

  it('a loop that throws where nobody handles signals is drained too, and then ends the program as any rejection would', async () => {
    const child = script(`
      onShutdown(() => say('hook'));
      order('a', 200);
      await runUntilShutdown(() => { throw new RangeError('no bars'); });
    `);
    expect([await child.ending(), child.lines]).toEqual([1, ['answered a', 'hook']]);
    expect(child.errors).toContain('RangeError: no bars');
  });

  it('an async iterable that ignores the shutdown does not hold it', async () => {
    const child = script(`
      handleSignals();
      async function* deaf() { for (let n = 0; ; n += 1) { yield n; await sleep(n === 0 ? 0 : 300_000); } }
      const { endedBy } = await runUntilShutdown(deaf(), (n) => say('item ' + n));
      say('ended by ' + endedBy);
    `);
    await child.line('item 1');
    child.signal('SIGTERM');
    expect([await child.ending(), child.errors]).toEqual(['SIGTERM', '']);
    expect(child.lines.slice(0, 3)).toEqual(['item 0', 'item 1', 'ended by shutdown']);
  });

  it('items without a pause do not keep a signal from being heard', async () => {
    const child = script(`
      handleSignals();
      function* endless() { for (let n = 0; ; n += 1) yield n; }
      const { endedBy } = await runUntilShutdown(endless(), (n) => { if (n === 0) say('ready'); });
      say('ended by ' + endedBy);
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect([await child.ending(), child.lines]).toEqual(['SIGTERM', ['ready', 'ended by shutdown']]);
  });
});

describe('faults', () => {
  it('S3: what nobody caught shuts down in order when asked to: exit code 1, stack told, orders drained', async () => {
    const child = script(`
      handleSignals({ uncaughtException: true });
      onShutdown(({ reason }) => say('hook: ' + reason));
      order('a', 300);
      setTimeout(() => { throw new TypeError('cannot read'); }, 50);
      setTimeout(() => say('late order: ' + submit.trySubmit('b').code), 100);
    `);
    expect([await child.ending(), child.lines]).toEqual([1, ['late order: shutdown_requested', 'answered a', 'hook: uncaughtException']]);
    expect(child.errors).toMatch(/^failflat: uncaughtException: TypeError: cannot read\n {4}at /);
  });

  it('a rejection that nobody handles is such a fault, by either option', async () => {
    for (const option of ['uncaughtException', 'unhandledRejection']) {
      const child = script(`
        handleSignals({ ${option}: true });
        onShutdown(() => say('hook'));
        Promise.reject(new TypeError('nobody cares'));
        setInterval(() => undefined, 1_000);
      `);
      expect([await child.ending(), child.lines]).toEqual([1, ['hook']]);
      expect(child.errors).toMatch(new RegExp(`^failflat: ${option}: TypeError: nobody cares\\n`));
    }
  });

  it.each<[string, string]>([
    ['a listener of the gate’s signal throws', "shutdownGate.signal.addEventListener('abort', () => { throw new Error('clumsy'); });"],
    ['a socket fails', "shutdownGate.signal.addEventListener('abort', () => setTimeout(() => { throw new Error('clumsy'); }, 20));"],
    ['nobody handles a rejection', "shutdownGate.signal.addEventListener('abort', () => void Promise.reject(new Error('clumsy')));"],
  ])('S2 S13: once a shutdown runs it cuts off neither drain nor hooks, whoever asked, and is no success: %s', async (_what, then) => {
    const child = script(`
      handleSignals();
      onShutdown(() => say('hook'));
      ${then}
      order('order-1', 200);
      say('ready');
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect([await child.ending(), child.lines]).toEqual([1, ['ready', 'answered order-1', 'hook']]);
    expect(child.errors).toMatch(/^failflat: un(caughtException|handledRejection): Error: clumsy\n {4}at /);
    expect(child.errors).not.toContain('order-1');
  });

  it('is left to Node when nobody asked; orders in flight are named all the same', async () => {
    const child = script(`
      handleSignals();
      onShutdown(() => say('hook'));
      order('order-1');
      setTimeout(() => { throw new TypeError('cannot read'); }, 20);
    `);
    expect([await child.ending(), child.lines]).toEqual([1, []]);
    expect(child.errors).toContain('TypeError: cannot read');
    expect(child.errors).toContain(
      'failflat: the process is ended from elsewhere with code 1: orders without an answer: "order-1" (in_flight, ',
    );
  });
});

describe('others in the same process', () => {
  it.each(['before', 'after'])('who listened %s us keep listening, and the process still ends by the signal', async (when) => {
    const other = `process.on('SIGTERM', () => say('other, gate shut: ' + shutdownGate.requested));`;
    const child = script(`
      ${when === 'before' ? other : ''}
      handleSignals();
      ${when === 'after' ? other : ''}
      order('a', 200);
      say('ready');
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect([await child.ending(), child.lines]).toEqual(['SIGTERM', ['ready', 'other, gate shut: true', 'answered a']]);
  });

  it.each(['on', 'prependListener'])(
    'S2: who end the process in the middle of a drain (%s) cannot make it look like a success',
    async (how) => {
      const child = script(`
      handleSignals();
      process.${how}('SIGTERM', () => process.exit(0));
      onShutdown(() => say('never'), { name: 'flush' });
      order('order-1', 200);
      say('ready');
    `);
      await child.line('ready');
      child.signal('SIGTERM');
      expect([await child.ending(), child.lines]).toEqual([1, ['ready']]);
      expect(child.errors).toMatch(
        /^failflat: the process is ended from elsewhere with code 0: orders without an answer: "order-1" \(in_flight, \d+ ms\)/,
      );
    },
  );

  it('a hook that calls process.exit cuts off the other hooks, by name, and is no success', async () => {
    const child = script(`
      handleSignals();
      onShutdown(() => say('never'), { name: 'close-bus' });
      onShutdown(() => process.exit(0), { name: 'impatient' });
      say('ready');
      setInterval(() => undefined, 1_000);
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect([await child.ending(), child.lines]).toEqual([1, ['ready']]);
    expect(child.errors).toBe(
      'failflat: the process is ended from elsewhere with code 0: hooks that did not end well: "impatient", "close-bus"\n',
    );
  });

  it('an exit that cuts nothing off is as it was', async () => {
    const child = script(`handleSignals(); await order('a', 10); process.exit(0);`);
    expect([await child.ending(), child.errors]).toEqual([0, '']);
  });
});

describe('the output', () => {
  it('S13: a reader that has gone away ends no drain', async () => {
    const directory = temporaryDirectory();
    const log = join(directory, 'log');
    writeFileSync(log, '');
    const child = script(`
      import { appendFileSync } from 'node:fs';
      const note = (line) => appendFileSync(${JSON.stringify(log)}, line + '\\n');
      handleSignals();
      onShutdown(() => { process.stdout.write('to nobody\\n'); note('hook'); });
      submit('a', 500).then(() => note('answered'));
      shutdownGate.signal.addEventListener('abort', () => setInterval(() => process.stdout.write('to nobody\\n'), 5));
      say('ready');
    `);
    await child.line('ready');
    child.closeOutput();
    child.signal('SIGTERM');
    expect([await child.ending(), readFileSync(log, 'utf8'), child.errors]).toEqual(['SIGTERM', 'answered\nhook\n', '']);
  });

  it('is waited for: what hooks have said arrives before the end', async () => {
    const child = script(`
      handleSignals();
      onShutdown(() => { for (let n = 0; n < 20_000; n += 1) process.stdout.write('line ' + n + ' of a long last word\\n'); });
      say('ready');
      setInterval(() => undefined, 1_000);
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect(await child.ending()).toBe('SIGTERM');
    expect(child.lines.at(-1)).toBe('line 19999 of a long last word');
  });

  it('S13: a reader of standard error that has stopped reading does not hold the end', async () => {
    const fifo = join(temporaryDirectory(), 'errors');
    const code = `${preludeOf(DIST)}
      import { spawnSync } from 'node:child_process';
      handleSignals({ drainTimeoutMs: 50, forceAfterMs: 1_000 });
      order('order-1');
      // Fills the pipe from another process, so that it takes nothing more.
      spawnSync('timeout', ['0.2', 'head', '-c', '10000000', '/dev/zero'], { stdio: ['ignore', 2, 'ignore'] });
      say('full');
      setInterval(() => undefined, 1_000);
    `;
    // The reader opens the pipe and reads nothing. Should the test not end it, it ends by itself, but long after the test.
    const line =
      'mkfifo "$1" && { sleep 60 < "$1" > /dev/null & } && echo "reader $!" && exec "$2" --input-type=module --eval "$3" 2> "$1"';
    const child = started(new TestChild('bash', ['-c', line, 'bash', fifo, process.execPath, code]));
    await child.line('full');
    const reader = Number((await child.line(/^reader /)).split(' ')[1]);
    child.signal('SIGTERM');
    try {
      expect(await Promise.race([child.exited(), systemClock.sleep(10_000)])).toBe('SIGTERM');
    } finally {
      process.kill(reader, 'SIGKILL');
    }
  });
});

describe('duplicate installs', () => {
  function installed(name: string): string {
    const directory = join(temporaryDirectory(), name);
    mkdirSync(directory, { recursive: true });
    return directory;
  }

  it('S1, S2: two copies in one process have one gate and one owner: each drains the other’s orders and runs the other’s hooks', async () => {
    const copies = ['one', 'two'].map((name) => {
      const directory = installed(name);
      cpSync(DIST, join(directory, 'dist'), { recursive: true });
      writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
      return join(directory, 'dist');
    });
    const [one = '', two = ''] = copies;
    const child = script(
      `
      import * as other from ${JSON.stringify(join(two, 'index.js'))};
      if (other.handleSignals === handleSignals) throw new Error('one copy only');
      const before = process.listenerCount('SIGTERM');
      handleSignals({ drainTimeoutMs: 1_000, forceAfterMs: 2_000 });
      other.handleSignals({ drainTimeoutMs: 5_000, forceAfterMs: 9_000 });
      say('listeners ' + (process.listenerCount('SIGTERM') - before));
      onShutdown(() => say('hook of one'));
      const cancelOne = guardOrderSubmission((id) => id, { intent: 'cancel' });
      other.onShutdown(async ({ exitPermit }) => { await sleep(10); say('hook of two cancels ' + (await cancelOne.under(exitPermit)('x'))); });
      const submitTwo = other.guardOrderSubmission((ms) => sleep(ms), { label: () => 'two' });
      order('one', 100);
      submitTwo(1_500).then(() => say('answered two'));
      other.runUntilShutdown(async (signal) => { while (!signal.aborted) await sleep(10); say('loop of two'); });
      say('ready');
      shutdownGate.signal.addEventListener('abort', () => say('two refuses: ' + submitTwo.trySubmit(1).code));
    `,
      { dist: one },
    );
    await child.line('ready');
    child.signal('SIGTERM');
    expect(await child.ending()).toBe('SIGTERM');
    expect(child.lines).toEqual([
      'listeners 1',
      'ready',
      'two refuses: shutdown_requested',
      'loop of two',
      'answered one',
      'answered two',
      'hook of two cancels x',
      'hook of one',
    ]);
    expect(child.errors).toBe('');
  });
});
