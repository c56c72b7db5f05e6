/** One owner, one budget: what the process is told to do, step by step, on a clock that the test moves. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import type { Logger } from '../../src/logger.js';
import { FAULT_CODE, FLUSH_MS } from '../../src/process/owner.js';
import { createShutdownGate, type ShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { sharedGateMemory } from '../../src/shutdownGate/sharedGate.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { openCall } from '../shutdownGate/support.js';
import { Scene } from './support.js';

function recordingLogger(): { readonly lines: string[]; readonly told: object[]; readonly logger: Logger } {
  const lines: string[] = [];
  const told: object[] = [];
  const log = (level: string) => (details: object, message: string) => {
    lines.push(`${level}: ${message} ${Object.keys(details).join(' ')}`.trim());
    told.push(details);
  };
  return { lines, told, logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') } };
}

describe('a signal', () => {
  it('S1, L5: shuts the gate at once, drains, runs the hooks, and ends the process by itself', async () => {
    const scene = new Scene();
    const call = openCall<string>();
    const submit = guardOrderSubmission(() => call.promise, { gate: scene.gate });
    const first = submit();
    scene.hook('first');
    scene.hook('second', ({ reason, report, deadlineMs, exitPermit, signal }) => {
      expect({ reason, drained: report.drained, leftMs: deadlineMs - scene.clock.monotonicMs() }).toEqual({
        reason: 'SIGTERM',
        drained: true,
        leftMs: 2_000,
      });
      expect([scene.gate.protocol.honours(exitPermit), signal.aborted]).toEqual([true, false]);
    });
    scene.handle();
    expect(scene.owner.phase()).toBe('running');
    scene.process.emit('SIGTERM');
    expect([scene.owner.phase(), scene.gate.requested, scene.gate.reason]).toEqual(['draining', true, 'SIGTERM']);
    expect(submit.trySubmit()).toMatchObject({ ok: false, code: 'shutdown_requested' });
    await scene.clock.advance(3_000);
    expect([scene.seen, scene.process.ends]).toEqual([[], []]);
    call.resolve('filled');
    await first;
    await scene.clock.advance(0);
    expect(scene.seen).toEqual(['second @ 3000', 'first @ 3000']);
    expect([scene.process.ends, scene.process.told, scene.owner.phase()]).toEqual([['SIGTERM'], [], 'ending']);
    expect(scene.process.forgiven).toBe(1);
  });

  it('S1: that ended the process at once leaves no hook to begin, whatever ends after it', async () => {
    const scene = new Scene();
    const permit = scene.gate.tryEnter('order');
    scene.hook('hook');
    scene.handle();
    scene.process.emit('SIGTERM');
    await scene.clock.advance(1_000);
    scene.process.emit('SIGTERM');
    expect(scene.process.ends).toEqual(['SIGTERM']);
    if (permit.ok) permit.settle('acknowledged');
    await scene.clock.advance(60_000);
    expect([scene.seen, scene.process.ends]).toEqual([[], ['SIGTERM']]);
  });

  it('is still heard after it was given back in the middle of a shutdown', async () => {
    const scene = new Scene();
    scene.lasting('hung', undefined, 5_000);
    const close = scene.handle();
    scene.process.emit('SIGTERM');
    close();
    expect(scene.process.listeners('SIGTERM')).toBe(1);
    await scene.clock.advance(1_000);
    scene.process.emit('SIGTERM');
    expect(scene.process.ends).toEqual(['SIGTERM']);
  });

  it('S2: at its timeout the drain is over; what is left is told by label, state and age, to the hooks and to standard error', async () => {
    const scene = new Scene();
    scene.gate.tryEnter('order-7');
    let told: unknown;
    scene.hook('hook', ({ report }) => {
      told = report;
    });
    scene.handle({ drainTimeoutMs: 8_000, forceAfterMs: 10_000 });
    scene.process.emit('SIGINT');
    await scene.clock.advance(7_999);
    expect(scene.seen).toEqual([]);
    await scene.clock.advance(1);
    expect(scene.seen).toEqual(['hook @ 8000']);
    expect(told).toMatchObject({ drained: false, waitedMs: 8_000, unfinished: [{ label: 'order-7', state: 'in_flight', ageMs: 8_000 }] });
    expect(scene.process.ends).toEqual(['SIGINT']);
    expect(scene.process.told).toEqual(['failflat: shutdown (SIGINT): orders without an answer: "order-7" (in_flight, 8000 ms)']);
  });

  it('that comes again within the dead window is the same one, also when it is another; after that it ends the process at once', async () => {
    const scene = new Scene();
    const { lines, logger } = recordingLogger();
    scene.lasting('hung', undefined, 5_000);
    scene.handle({ logger });
    scene.process.emit('SIGTERM');
    await scene.clock.advance(999);
    scene.process.emit('SIGINT');
    scene.process.emit('SIGTERM');
    expect(scene.process.ends).toEqual([]);
    await scene.clock.advance(1);
    scene.process.emit('SIGINT');
    expect(scene.process.ends).toEqual(['SIGINT']);
    expect(scene.process.told).toEqual(['failflat: shutdown (SIGTERM): hooks that did not end well: "hung"']);
    expect(lines).toEqual(['warn: shutting down signal others', 'error: a further signal: the process is ended at once signal']);
    scene.process.emit('SIGINT');
    await scene.clock.advance(60_000);
    expect(scene.process.ends).toEqual(['SIGINT']);
  });

  it('has a dead window of any length, none included', async () => {
    const scene = new Scene();
    scene.lasting('hung', undefined);
    scene.handle({ deadWindowMs: 0 });
    scene.process.emit('SIGTERM');
    scene.process.emit('SIGTERM');
    expect(scene.process.ends).toEqual(['SIGTERM']);
  });

  it('during a shutdown that the program asked for is the first one, and the process ends by it', async () => {
    const scene = new Scene();
    scene.lasting('slow', 1_500);
    scene.handle();
    scene.gate.requestShutdown('done for today');
    await scene.clock.advance(500);
    scene.process.emit('SIGTERM');
    await scene.clock.advance(1_000);
    expect([scene.process.ends, scene.gate.reason]).toEqual([['SIGTERM'], 'done for today']);
  });

  it('finds the process held by one timer from its first moment to the last', async () => {
    const scene = new Scene();
    const before = scene.clock.pending;
    scene.lasting('slow', 1_500);
    scene.handle();
    scene.process.emit('SIGTERM');
    expect(scene.clock.pending).toBeGreaterThan(before);
    await scene.clock.advance(1_499);
    expect(scene.clock.pending).toBeGreaterThan(before);
    await scene.clock.advance(1);
    expect(scene.clock.pending).toBe(before);
  });
});

describe('the budget', () => {
  it('L5: is one for drain and hooks together; when it is used up the process ends, whatever hangs', async () => {
    const scene = new Scene();
    const { lines, logger } = recordingLogger();
    scene.gate.tryEnter('hung-order');
    scene.lasting('a', undefined, 5_000);
    scene.lasting('b', undefined, 5_000);
    scene.handle({ drainTimeoutMs: 1_000, forceAfterMs: 3_000, logger });
    scene.process.emit('SIGTERM');
    await scene.clock.advance(2_999);
    expect([scene.seen, scene.process.ends]).toEqual([['b @ 1000', 'a @ 2000'], []]);
    await scene.clock.advance(1);
    expect(scene.process.ends).toEqual(['SIGTERM']);
    expect(scene.process.told).toEqual([
      'failflat: shutdown (SIGTERM): orders without an answer: "hung-order" (in_flight, 3000 ms); hooks that did not end well: "b", "a"',
    ]);
    expect(lines).toContain('error: the time of the shutdown is up');
  });

  it('that is used up by a shutdown of the program itself is a failure', async () => {
    const scene = new Scene();
    scene.owner.enterLoop('stubborn');
    scene.lasting('hung', undefined, 60_000);
    scene.handle();
    scene.gate.requestShutdown('done');
    await scene.clock.stall(10_000);
    expect(scene.process.ends).toEqual([`exit ${FAULT_CODE}`]);
    expect(scene.process.told[0]).toContain('loops that did not return: "stubborn"');
  });

  it('waits for the output at the end, but not long, and less than a further signal takes', async () => {
    const scene = new Scene();
    scene.handle();
    scene.process.unwritten = 10;
    scene.process.emit('SIGTERM');
    await scene.clock.advance(FLUSH_MS - 1);
    expect([scene.process.ends, scene.owner.phase()]).toEqual([[], 'ending']);
    scene.process.unwritten = 0;
    await scene.clock.advance(5);
    expect(scene.process.ends).toEqual(['SIGTERM']);

    const stuck = new Scene();
    stuck.handle();
    stuck.process.unwritten = 10;
    stuck.process.emit('SIGTERM');
    await stuck.clock.advance(FLUSH_MS);
    expect(stuck.process.ends).toEqual(['SIGTERM']);
  });
});

describe('a shutdown that the program requests', () => {
  it('ends a process whose signals are handled with the exit code that the program has set', async () => {
    const scene = new Scene();
    scene.hook('hook');
    scene.handle();
    scene.gate.requestShutdown('done for today');
    await scene.clock.advance(0);
    expect([scene.seen, scene.process.ends, scene.process.told]).toEqual([['hook @ 0'], ['exit as set'], []]);
  });

  it('does not end a process that nobody asked to end; hooks and loops have the same times', async () => {
    const scene = new Scene();
    const leave = scene.owner.enterLoop('loop');
    scene.hook('hook');
    let ended = false;
    void scene.owner.ended().then(() => {
      ended = true;
    });
    scene.gate.requestShutdown('done');
    await scene.clock.advance(7_000);
    expect([scene.seen, ended]).toEqual([[], false]);
    leave();
    await scene.clock.advance(0);
    expect([scene.seen, ended, scene.owner.phase(), scene.process.ends]).toEqual([['hook @ 7000'], true, 'ended', []]);
    expect([scene.process.forgiven, scene.process.told, scene.clock.pending]).toEqual([0, [], 0]);
  });

  it('ends its wait within the budget, whatever hangs', async () => {
    const scene = new Scene();
    scene.lasting('hung', undefined, 60_000);
    scene.gate.requestShutdown('done');
    await scene.clock.advance(10_000);
    expect([scene.owner.phase(), scene.process.ends, scene.process.told]).toEqual(['ended', [], []]);
  });

  it('before somebody asks for signals still ends the process then', async () => {
    const scene = new Scene();
    scene.gate.requestShutdown('early');
    await scene.clock.advance(0);
    expect(scene.owner.phase()).toBe('ended');
    scene.handle();
    await scene.clock.advance(0);
    expect(scene.process.ends).toEqual(['exit as set']);
  });

  it('before there was an owner begins with the owner', async () => {
    const gate = (clock: Scene['clock']) => {
      const early = new Scene().gate;
      early.requestShutdown(`before ${typeof clock}`);
      return early;
    };
    const scene = new Scene({ gate: gate as never });
    expect(scene.owner.phase()).toBe('draining');
  });
});

describe('loops', () => {
  it('are waited for together with the orders, no longer than the drain, and named when they did not return', async () => {
    const scene = new Scene();
    const { lines, logger } = recordingLogger();
    scene.owner.enterLoop('mean-reversion');
    const leave = scene.owner.enterLoop('pairs');
    scene.owner.enterLoop('mean-reversion');
    scene.hook('hook');
    scene.handle({ logger });
    scene.process.emit('SIGTERM');
    await scene.clock.advance(10);
    leave();
    await scene.clock.advance(7_989);
    expect(scene.seen).toEqual([]);
    await scene.clock.advance(1);
    expect(scene.seen).toEqual(['hook @ 8000']);
    expect(scene.process.told).toEqual(['failflat: shutdown (SIGTERM): loops that did not return: "mean-reversion", "mean-reversion"']);
    expect(lines).toContain('debug: a shutdown hook is done hook');
  });

  it('that ended before the shutdown are not waited for', async () => {
    const scene = new Scene();
    scene.owner.enterLoop('done')();
    scene.handle();
    scene.process.emit('SIGTERM');
    await scene.clock.advance(0);
    expect(scene.process.ends).toEqual(['SIGTERM']);
  });
});

describe('a fault', () => {
  it('shuts down in order and ends with exit code 1, with its stack on standard error', async () => {
    const scene = new Scene();
    scene.hook('hook');
    scene.handle({ uncaughtException: true });
    const error = new Error('divided by zero');
    scene.process.emit('uncaughtException', error);
    expect([scene.gate.reason, scene.process.told]).toEqual(['uncaughtException', [`failflat: uncaughtException: ${error.stack}`]]);
    await scene.clock.advance(0);
    expect([scene.seen, scene.process.ends]).toEqual([['hook @ 0'], ['exit 1']]);
  });

  it('after a signal still makes the exit code 1; a signal after it changes nothing', async () => {
    const scene = new Scene();
    scene.lasting('slow', 1_500);
    scene.handle({ unhandledRejection: true });
    scene.process.emit('SIGTERM');
    scene.process.emit('unhandledRejection', 'no reason');
    await scene.clock.advance(1_500);
    expect([scene.process.ends, scene.gate.reason]).toEqual([['exit 1'], 'SIGTERM']);
    expect(scene.process.told).toEqual(['failflat: unhandledRejection: no reason']);

    const other = new Scene();
    other.lasting('slow', 1_500);
    other.handle({ unhandledRejection: true });
    other.process.emit('unhandledRejection', 'no reason');
    other.process.emit('SIGTERM');
    await other.clock.advance(1_000);
    other.process.emit('SIGTERM');
    expect(other.process.ends).toEqual(['exit 1']);
  });

  it('is nobody’s business until somebody asks', () => {
    const scene = new Scene();
    const { lines, logger } = recordingLogger();
    scene.handle({ logger });
    expect([scene.process.listeners('uncaughtException'), scene.process.listeners('unhandledRejection')]).toEqual([0, 0]);
    scene.owner.fail('loop x failed: no', new Error('no'));
    expect(lines).toEqual(['error: loop x failed: no err']);
    const quiet = new Scene();
    quiet.owner.fail('loop x failed', new Error('no'));
    expect([quiet.process.told, quiet.gate.reason]).toEqual([[], 'loop x failed']);
  });
});

it('S12: what went wrong is told in words by the logger of most programs: of a hook, of a loop and of a fault', async () => {
  const lines: string[] = [];
  const scene = new Scene();
  const logger = pino({}, { write: (line) => void lines.push(line) });
  scene.handle({ logger });
  scene.hook('hook', () => Promise.reject(new Error('the database is gone')));
  scene.owner.fail('loop x failed', new Error('no bars'));
  await scene.clock.advance(0);
  const told = lines.map((line): unknown => JSON.parse(line));
  expect(told).toContainEqual(
    expect.objectContaining({ hook: 'hook', err: expect.objectContaining({ message: 'the database is gone' }) as unknown }),
  );
  expect(told).toContainEqual(
    expect.objectContaining({ msg: 'loop x failed', err: expect.objectContaining({ message: 'no bars' }) as unknown }),
  );
});

describe('several who handle signals', () => {
  it('share one owner: the longest times hold, every signal is heard once, and each gives back its own', async () => {
    const scene = new Scene();
    const first = scene.handle({ signals: ['SIGTERM'], drainTimeoutMs: 1_000, forceAfterMs: 2_000, deadWindowMs: 5_000 });
    const second = scene.handle({ signals: ['SIGTERM', 'SIGHUP'], drainTimeoutMs: 3_000, forceAfterMs: 9_000, uncaughtException: true });
    expect(['SIGTERM', 'SIGHUP', 'SIGINT', 'exit', 'uncaughtException'].map((name) => scene.process.listeners(name))).toEqual([
      1, 1, 0, 1, 1,
    ]);
    second();
    second();
    expect(['SIGTERM', 'SIGHUP', 'exit', 'uncaughtException'].map((name) => scene.process.listeners(name))).toEqual([1, 0, 1, 0]);
    scene.handle({ signals: ['SIGINT'], drainTimeoutMs: 3_000, forceAfterMs: 9_000 });
    scene.gate.tryEnter('hung');
    scene.process.emit('SIGINT');
    // Once it has begun nobody takes the process from under it.
    first();
    await scene.clock.advance(2_999);
    scene.process.emit('SIGTERM');
    expect(scene.process.ends).toEqual([]);
    await scene.clock.advance(1);
    expect(scene.process.ends).toEqual(['SIGINT']);
  });

  it('leave nothing behind when all have given it back', () => {
    const scene = new Scene();
    const first = scene.handle();
    scene.handle()();
    first();
    expect(['SIGTERM', 'SIGINT', 'exit'].map((name) => scene.process.listeners(name))).toEqual([0, 0, 0]);
    scene.gate.protocol.coverBrokerTimeout(60_000);
  });

  it('hear of others who listen, as those may end the process', () => {
    const scene = new Scene();
    const { lines, told, logger } = recordingLogger();
    scene.handle({ logger });
    expect(lines).toEqual([]);
    const crowded = new Scene();
    crowded.process.others = 2;
    crowded.handle({ signals: ['SIGTERM'], logger });
    expect(lines).toEqual(['warn: other code listens to this signal: if it ends the process, it cuts off the drain signal others']);
    crowded.process.emit('SIGTERM');
    expect(lines.at(-1)).toBe('warn: shutting down signal others');
    expect(told).toEqual([
      { signal: 'SIGTERM', others: 2 },
      { signal: 'SIGTERM', others: 2 },
    ]);
  });

  it('are told how each hook ended', async () => {
    const scene = new Scene();
    const { lines, told, logger } = recordingLogger();
    const error = new Error('no');
    scene.hook('fails', () => Promise.reject(error));
    scene.hook('works');
    scene.handle({ logger });
    scene.process.emit('SIGTERM');
    await scene.clock.advance(0);
    expect(lines.slice(1)).toEqual(['debug: a shutdown hook is done hook', 'error: a shutdown hook did not end well hook outcome err']);
    expect(told.slice(1)).toEqual([{ hook: 'works' }, { hook: 'fails', outcome: 'failed', err: error }]);
  });

  it.each(['uncaughtException', 'unhandledRejection'] as const)('hear of %s where any of them asks for it, and none else', (fault) => {
    for (const [asks, heard] of [
      [[false, false], 0],
      [[true, false], 1],
      [[false, true], 1],
      [[true, true], 1],
    ] as const) {
      const scene = new Scene();
      for (const ask of asks) scene.handle({ [fault]: ask });
      expect(scene.process.listeners(fault)).toBe(heard);
    }
  });

  it('S13: a logger that throws changes nothing', async () => {
    const scene = new Scene();
    const fails = () => {
      throw new Error('disk full');
    };
    scene.hook('throws', fails);
    scene.handle({ logger: { debug: fails, info: fails, warn: fails, error: fails } });
    scene.process.emit('SIGTERM');
    await scene.clock.advance(0);
    expect(scene.process.ends).toEqual(['SIGTERM']);
  });
});

describe('further gates', () => {
  it('S1, S2: are shut in the same step, drained together, and named with what they left', async () => {
    const scene = new Scene();
    const other = createShutdownGate({ clock: scene.clock });
    let told: unknown;
    scene.hook('hook', ({ report }) => {
      told = report;
    });
    scene.handle({ gates: [other] });
    const permit = other.tryEnter('quick');
    other.tryEnter('hung');
    scene.gate.tryEnter('main');
    scene.process.emit('SIGTERM');
    expect([other.requested, other.reason]).toEqual([true, 'SIGTERM']);
    await scene.clock.advance(10);
    if (permit.ok) permit.settle('acknowledged');
    await scene.clock.advance(7_990);
    expect(told).toMatchObject({
      drained: false,
      waitedMs: 8_000,
      unfinished: [{ label: 'main' }, { label: 'hung' }],
      inflightElsewhere: 0,
    });
    expect(scene.process.told[0]).toContain('"main" (in_flight, 8000 ms), "hung" (in_flight, 8000 ms)');
    expect([scene.process.emit('exit', 0), scene.process.ends]).toEqual([undefined, ['SIGTERM']]);
  });

  it('S10: honour the permit of a hook, so that what was opened through them can be closed', async () => {
    const scene = new Scene();
    const other = createShutdownGate({ clock: scene.clock });
    const cancel = guardOrderSubmission((id: string) => id, { gate: other, intent: 'cancel' });
    const codes: unknown[] = [];
    scene.hook('cancel', async ({ exitPermit }) => {
      codes.push(cancel.trySubmit('bare').ok, await cancel.under(exitPermit)('1'));
      await scene.clock.sleep(5_000);
      codes.push(cancel.under(exitPermit).trySubmit('late').ok);
    });
    scene.handle({ gates: [other] });
    scene.process.emit('SIGTERM');
    await scene.clock.advance(5_000);
    expect(codes).toEqual([false, '1', false]);
  });

  it('count as cut off when others end the process, and are told when the shutdown has begun already', async () => {
    const scene = new Scene();
    const other = createShutdownGate({ clock: scene.clock });
    scene.handle({ gates: [other, other] });
    other.tryEnter('a');
    expect(scene.process.emit('exit', 0)).toBe(1);
    scene.gate.requestShutdown('enough');
    const late = createShutdownGate({ clock: scene.clock });
    scene.handle({ gates: [late] });
    expect([other.reason, late.reason]).toEqual(['enough', 'enough']);
  });

  it('S2: the orders of other threads hold the drain, and are told by their number', async () => {
    const scene = new Scene();
    const shared = sharedGateMemory();
    const [mine, theirs] = [createShutdownGate({ shared, clock: scene.clock }), createShutdownGate({ shared, clock: scene.clock })];
    theirs.tryEnter('theirs');
    scene.handle({ gates: [mine] });
    scene.process.emit('SIGTERM');
    expect(theirs.requested).toBe(true);
    await scene.clock.advance(8_000);
    expect(scene.process.told).toEqual(['failflat: shutdown (SIGTERM): orders in flight in other threads: 1']);
  });

  it('L5: refuse a drain that does not cover their broker calls, and then nothing has been promised', () => {
    const scene = new Scene();
    const other = createShutdownGate({ clock: scene.clock });
    other.protocol.coverBrokerTimeout(10_000);
    expect(() => scene.handle({ gates: [other] })).toThrow('drainTimeoutMs = 8000: must be at least 10500');
    scene.gate.protocol.coverBrokerTimeout(60_000);
    const promising = new Scene();
    const close = promising.handle({ drainTimeoutMs: 5_000 });
    expect(() => promising.handle({ gates: [other] })).toThrow('drainTimeoutMs = 8000: must be at least 10500');
    expect(() => promising.gate.protocol.coverBrokerTimeout(4_501)).toThrow('must be at most 4500');
    close();
    const both = promising.handle({ gates: [other], drainTimeoutMs: 10_500, forceAfterMs: 12_000 });
    expect(() => other.protocol.coverBrokerTimeout(10_001)).toThrow('must be at most 10000');
    both();
    other.protocol.coverBrokerTimeout(10_001);
  });

  it('L5: take a drain that does not cover their broker calls where everybody who asks allows it, and then alone', () => {
    const scene = new Scene();
    scene.gate.protocol.coverBrokerTimeout(10_000);
    const close = scene.handle({ drainTimeoutMs: 2_000, allowShortDrain: true });
    scene.gate.protocol.coverBrokerTimeout(60_000);
    expect(() => scene.handle({ drainTimeoutMs: 5_000 })).toThrow('drainTimeoutMs = 5000: must be at least 60500');
    close();
    const fresh = new Scene();
    fresh.handle({ drainTimeoutMs: 2_000, allowShortDrain: true });
    const strict = fresh.handle({ drainTimeoutMs: 5_000 });
    expect(() => fresh.gate.protocol.coverBrokerTimeout(4_501)).toThrow('must be at most 4500');
    strict();
    fresh.gate.protocol.coverBrokerTimeout(4_501);
    expect(() => scene.handle({ allowShortDrain: 1 } as never)).toThrow('allowShortDrain = 1: must be true or false');
  });
});

it('S2 S3: a gate that can neither be shut nor drained is a failure, and cuts off neither the drain of the others nor the hooks', async () => {
  const scene = new Scene();
  const { protocol } = createShutdownGate({ clock: scene.clock });
  const requestShutdown = () => {
    throw new Error('stuck');
  };
  const waitForInflightZero = () => Promise.reject(new Error('gone'));
  const broken = { protocol, waitForInflightZero, inflight: () => 0, requestShutdown };
  scene.handle({ gates: [broken as unknown as ShutdownGate] });
  scene.hook('hook', ({ report }) => expect(report.drained).toBe(false));
  const permit = scene.gate.tryEnter('order');
  scene.process.emit('SIGTERM');
  await scene.clock.advance(100);
  expect([scene.owner.phase(), scene.seen, scene.process.ends]).toEqual(['draining', [], []]);
  if (permit.ok) permit.settle('acknowledged');
  await scene.clock.advance(0);
  expect([scene.seen, scene.process.ends]).toEqual([['hook @ 100'], ['exit 1']]);
  expect(scene.process.told).toEqual([
    expect.stringContaining('a gate could not be shut: Error: stuck'),
    expect.stringContaining('a gate could not be drained: Error: gone'),
  ]);
});

it('S2: a gate whose clock fails is drained and told of like any other', async () => {
  const scene = new Scene();
  let broken = false;
  const monotonicMs = () => {
    if (broken) throw new Error('no clock');
    return scene.clock.monotonicMs();
  };
  const gate = createShutdownGate({ clock: { ...scene.clock, monotonicMs } });
  scene.handle({ gates: [gate] });
  scene.hook('hook');
  gate.tryEnter('order');
  broken = true;
  scene.process.emit('SIGTERM');
  await scene.clock.advance(8_000);
  expect([scene.seen, scene.process.ends]).toEqual([['hook @ 8000'], ['SIGTERM']]);
  expect(scene.process.told).toEqual(['failflat: shutdown (SIGTERM): orders without an answer: "order" (in_flight, NaN ms)']);
});

/** Cannot say what it holds. */
function muteGate(scene: Scene): ShutdownGate {
  const gate = createShutdownGate({ clock: scene.clock });
  const unfinished = () => {
    throw new Error('gone');
  };
  const { protocol } = gate;
  const mute = {
    ...protocol,
    version: protocol.version,
    unfinished,
    promiseDrain: () => undefined,
    issueExitPermit: () => protocol.issueExitPermit(),
    adoptExitPermit: () => undefined,
    revokeExitPermit: () => undefined,
  };
  const waitForInflightZero = async () => gate.waitForInflightZero();
  return { protocol: mute, waitForInflightZero, inflight: () => 0, requestShutdown: () => undefined } as unknown as ShutdownGate;
}

it('S2: a gate that cannot say what is left keeps no process from its end', async () => {
  const scene = new Scene();
  scene.handle({ gates: [muteGate(scene)] });
  scene.process.emit('SIGTERM');
  await scene.clock.advance(0);
  expect([scene.process.ends, scene.process.told]).toEqual([
    ['SIGTERM'],
    ['failflat: shutdown (SIGTERM): nobody can say what is left over: gone'],
  ]);
});

it('S2, S13: ended from elsewhere, a gate that cannot say what is left makes no error of its own, and no success', () => {
  const scene = new Scene();
  scene.handle({ gates: [muteGate(scene)] });
  expect(scene.process.emit('exit', 0)).toBe(1);
  expect(scene.process.told).toEqual(['failflat: the process is ended from elsewhere with code 0: nobody can say what is left over: gone']);
});

it('S1: a stop whose words another thread has not written yet is a stop all the same, without a reason', async () => {
  const shared = sharedGateMemory();
  const closing = 1;
  Atomics.store(new Int32Array(shared), 1, closing);
  const scene = new Scene({ gate: (clock) => createShutdownGate({ clock, shared }) });
  const other = createShutdownGate({ clock: scene.clock });
  let told: unknown;
  scene.hook('hook', ({ reason }) => {
    told = reason;
    throw new Error('no');
  });
  scene.handle({ gates: [other] });
  await scene.clock.advance(0);
  expect([told, other.reason]).toEqual(['', 'no reason given']);
  expect(scene.process.told).toEqual(['failflat: shutdown (): hooks that did not end well: "hook"']);
});

it('S2 S13: a listener of the gate’s signal that throws, or keeps the event from the others, does not keep the shutdown from its work', async () => {
  const clock = new ManualClock();
  const gate = createShutdownGate({ clock });
  gate.signal.addEventListener('abort', (event) => event.stopImmediatePropagation());
  const scene = new Scene({ gate: () => gate });
  scene.handle();
  scene.process.emit('SIGTERM');
  expect([scene.owner.phase(), gate.requested]).toEqual(['draining', true]);
});

describe('an exit from elsewhere', () => {
  it('S2: with orders in flight is told of by label, and is no success', () => {
    const scene = new Scene();
    scene.handle();
    expect(scene.process.emit('exit', 0)).toBeUndefined();
    const permit = scene.gate.tryEnter('order "1"');
    expect(scene.process.emit('exit', 0)).toBe(1);
    expect(scene.process.emit('exit', 7)).toBeUndefined();
    expect(scene.process.told).toEqual([
      'failflat: the process is ended from elsewhere with code 0: orders without an answer: "order \\"1\\"" (in_flight, 0 ms)',
      'failflat: the process is ended from elsewhere with code 7: orders without an answer: "order \\"1\\"" (in_flight, 0 ms)',
    ]);
    // An outcome that nobody will learn is told, but nothing was cut off.
    if (permit.ok) permit.settle('unknown');
    expect(scene.process.emit('exit', 0)).toBeUndefined();
    expect(scene.process.told).toHaveLength(3);
  });

  it('in the middle of a shutdown names the hooks that were not run', async () => {
    const scene = new Scene();
    scene.lasting('flush', 100);
    scene.hook('close-bus');
    scene.handle();
    expect(scene.process.emit('exit', 0)).toBeUndefined();
    scene.process.emit('SIGTERM');
    expect(scene.process.emit('exit', 0)).toBe(1);
    await scene.clock.advance(50);
    expect(scene.process.emit('exit', 0)).toBe(1);
    expect(scene.process.told.map((line) => line.split(': ').at(-1))).toEqual(['"flush", "close-bus"', '"flush"']);
    await scene.clock.advance(50);
    // By now it is the owner who ends it.
    expect([scene.process.emit('exit', 143), scene.process.told.length]).toEqual([undefined, 2]);
  });
});

describe('L5: a configuration that cannot hold is refused where its second half is given', () => {
  it('a drain shorter than a broker call that is known', () => {
    const scene = new Scene();
    guardOrderSubmission(() => 1, { gate: scene.gate, brokerTimeoutMs: 7_501 });
    expect(() => scene.handle()).toThrow(
      new ConfigurationError(
        'drainTimeoutMs',
        8_000,
        'must be at least 8001: a broker call may take 7501 ms, and 500 ms are needed besides',
      ),
    );
    expect(scene.process.listeners('SIGTERM')).toBe(0);
    scene.handle({ drainTimeoutMs: 8_001 });
    expect(scene.process.listeners('SIGTERM')).toBe(1);
  });

  it('a broker call longer than a drain that is promised', () => {
    const scene = new Scene();
    const close = scene.handle();
    guardOrderSubmission(() => 1, { gate: scene.gate, brokerTimeoutMs: 7_500 });
    const guard = () => guardOrderSubmission(() => 1, { gate: scene.gate, brokerTimeoutMs: 15_000 });
    expect(guard).toThrow(
      new ConfigurationError('brokerTimeoutMs', 15_000, 'must be at most 7500: a shutdown drains for 8000 ms, and needs 500 ms of them'),
    );
    expect(scene.gate.status().longestBrokerTimeoutMs).toBe(7_500);
    close();
    guard();
    expect(scene.gate.status().longestBrokerTimeoutMs).toBe(15_000);
  });
});

it('ends no process any more once a test has asked it to forget everything, not even one that waits for its output alone', async () => {
  const scene = new Scene();
  scene.process.unwritten = 10;
  scene.handle();
  scene.process.emit('SIGTERM');
  await scene.clock.advance(10);
  expect(scene.owner.phase()).toBe('ending');
  scene.owner.release();
  await scene.clock.advance(60_000);
  expect(scene.process.ends).toEqual([]);
});

it('forgets everything when a test asks for it', async () => {
  const scene = new Scene();
  scene.lasting('hung', undefined);
  scene.handle();
  scene.process.emit('SIGTERM');
  await scene.clock.advance(10);
  scene.owner.release();
  await scene.clock.advance(60_000);
  expect([scene.process.ends, scene.owner.phase(), scene.process.listeners('SIGTERM'), scene.clock.pending]).toEqual([[], 'ended', 0, 0]);
});
