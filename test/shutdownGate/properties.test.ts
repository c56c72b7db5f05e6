import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokerRejectedError } from '../../src/broker/broker.js';
import type { IntentKind, RefusalCode } from '../../src/permission.js';
import { OrderOutcomeUnknownError } from '../../src/shutdownGate/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { FC_SEED, openCall, settled, switchable } from './support.js';

interface Order {
  readonly id: string;
  readonly intent: IntentKind;
  readonly throws: boolean;
}

type End = 'ack' | 'reject' | 'lose';

const SWITCHES = ['killSwitch', 'lease', 'breakers'] as const;
const CODES: Record<(typeof SWITCHES)[number], RefusalCode> = {
  killSwitch: 'kill_switch_enabled',
  lease: 'lease_expired',
  breakers: 'circuit_breaker_volatility',
};

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      intent: fc.constantFrom<IntentKind>('increase', 'increase', 'cancel', 'reduce'),
      throws: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 0),
      awaits: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('end' as const), pick: fc.nat(30), how: fc.constantFrom<End>('ack', 'reject', 'lose') }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('flip' as const), which: fc.constantFrom(...SWITCHES) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 400 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stepWall' as const), ms: fc.integer({ min: -3_600_000, max: 3_600_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stall' as const), ms: fc.integer({ min: 1, max: 2_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('shutdown' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resolve' as const), pick: fc.nat(30) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What the model knows of one admitted order. */
interface Known {
  readonly id: string;
  readonly entryId: number;
  readonly admittedMs: number;
  ended: End | undefined;
  resolved: boolean;
  told: string | undefined;
}

const TIMEOUT_MS = 250;
const seenCodes = new Set<string>();
const stoppedBetweenAdmissions = new Set<object>();

function world(observerThrows: boolean, timeoutMs: number | undefined) {
  const clock = new ManualClock();
  const gate = createShutdownGate({ clock });
  const calls = new Map<string, ReturnType<typeof openCall<string>>>();
  const sent: string[] = [];
  const permissions = { killSwitch: switchable('killSwitch'), lease: switchable('lease'), breakers: switchable('breakers') };
  const submit = guardOrderSubmission(
    (order: Order) => {
      sent.push(order.id);
      if (order.throws) throw new Error('synchronous');
      const call = openCall<string>();
      calls.set(order.id, call);
      return call.promise;
    },
    {
      gate,
      ...permissions,
      label: ({ id }) => id,
      intent: ({ intent }) => intent,
      verifyReduce: () => ({ account: 'a', symbol: 's', side: 'sell', quantity: 1, position: 1_000_000, positionAgeMs: 0 }),
      ...(timeoutMs === undefined ? {} : { submissionTimeoutMs: timeoutMs }),
      observe: () => {
        if (observerThrows) throw new Error('observer');
      },
    },
  );
  return { clock, gate, calls, sent, permissions, submit };
}

function expectedCode(world_: ReturnType<typeof world>, intent: IntentKind): RefusalCode | undefined {
  if (world_.gate.requested) return 'shutdown_requested';
  if (intent !== 'increase') return undefined;
  return SWITCHES.map((name) => world_.permissions[name].code).find((code) => code !== undefined);
}

async function play(steps: readonly Step[], observerThrows: boolean, timeoutMs: number | undefined): Promise<void> {
  const here = world(observerThrows, timeoutMs);
  const { clock, gate, calls, sent, permissions, submit } = here;
  const known: Known[] = [];
  let number = 0;
  let refusedSinceAdmission = false;
  const submitOne = (intent: IntentKind, throws: boolean, awaits: boolean): void => {
    const id = `order-${number++}`;
    const expected = expectedCode(here, intent);
    const before = gate.inflight();
    const order = { id, intent, throws };
    if (awaits && expected !== undefined) {
      submit(order).catch((error: unknown) => expect(error).toMatchObject({ code: expected }));
      expect(sent).not.toContain(id);
      return;
    }
    const admission = submit.trySubmit(order);
    expect(admission.ok ? undefined : admission.code).toBe(expected);
    expect(sent.includes(id)).toBe(admission.ok);
    expect(gate.inflight()).toBe(before + (admission.ok ? 1 : 0));
    if (!admission.ok) {
      seenCodes.add(admission.code);
      refusedSinceAdmission = true;
      return;
    }
    if (refusedSinceAdmission && known.length > 0) stoppedBetweenAdmissions.add(here);
    refusedSinceAdmission = false;
    const entry: Known = {
      id,
      entryId: admission.entryId,
      admittedMs: clock.monotonicMs(),
      ended: throws ? 'lose' : undefined,
      resolved: false,
      told: undefined,
    };
    known.push(entry);
    admission.outcome.then(
      (value) => {
        entry.told = value;
      },
      (error: unknown) => {
        entry.told = error instanceof OrderOutcomeUnknownError ? 'timeout' : String(error);
        if (error instanceof OrderOutcomeUnknownError) void error.settled.then(({ outcome }) => (entry.told = `late ${outcome}`));
      },
    );
  };
  for (const action of steps) {
    const entry = 'pick' in action ? known[action.pick % Math.max(known.length, 1)] : undefined;
    if (action.do === 'submit') submitOne(action.intent, action.throws, action.awaits);
    if (action.do === 'flip') {
      permissions[action.which].code = permissions[action.which].code === undefined ? CODES[action.which] : undefined;
    }
    if (action.do === 'end' && entry !== undefined && entry.ended === undefined) {
      entry.ended = action.how;
      if (action.how === 'ack') calls.get(entry.id)?.resolve('ack');
      else calls.get(entry.id)?.reject(action.how === 'reject' ? new BrokerRejectedError('other', 'no') : new Error('lost'));
    }
    if (action.do === 'advance') await clock.advance(action.ms);
    if (action.do === 'stall') await clock.stall(action.ms);
    if (action.do === 'stepWall') clock.stepWall(action.ms);
    if (action.do === 'shutdown') gate.requestShutdown(`at ${number}`);
    await settled();
    if (action.do === 'resolve' && entry !== undefined) {
      const result = gate.resolve(entry.entryId, 'acknowledged', { by: 'ops' });
      expect(result).toBe(entry.ended === undefined ? 'in_flight' : entry.ended === 'lose' && !entry.resolved ? 'resolved' : 'not_found');
      if (result === 'resolved') entry.resolved = true;
    }
    await judge(here, known, timeoutMs);
  }
  expect(new Set(sent).size).toBe(sent.length);
}

async function judge(
  { gate, clock, sent }: ReturnType<typeof world>,
  known: readonly Known[],
  timeoutMs: number | undefined,
): Promise<void> {
  const running = known.filter(({ ended }) => ended === undefined);
  const unknown = known.filter(({ ended, resolved }) => ended === 'lose' && !resolved);
  expect(sent.length).toBe(known.length);
  expect([gate.inflight(), gate.unknownOutcomes()]).toEqual([running.length, unknown.length]);
  const { drained, unfinished } = await gate.waitForInflightZero({ timeoutMs: 0 });
  expect(drained).toBe(running.length === 0);
  const expected = known.filter((entry) => running.includes(entry) || unknown.includes(entry));
  expect(unfinished.map(({ label, ageMs }) => [label, ageMs])).toEqual(
    expected.map(({ id, admittedMs }) => [id, clock.monotonicMs() - admittedMs]),
  );
  const wrong = known.filter(({ ended, told }) => !mayBeTold(ended, timeoutMs !== undefined).includes(told));
  expect(wrong).toEqual([]);
}

/** What a caller may have heard of its order: how it ended, or that its wait ended first and then how it ended. */
function mayBeTold(ended: End | undefined, bounded: boolean): readonly (string | undefined)[] {
  const late = (word: string): string[] => (bounded ? [word] : []);
  if (ended === 'ack') return ['ack', ...late('late acknowledged')];
  if (ended === 'reject') return ['BrokerRejectedError: no', ...late('late refused')];
  if (ended === 'lose') return ['Error: lost', 'Error: synchronous', ...late('late unknown')];
  return [undefined, ...late('timeout')];
}

describe('order door against its model', () => {
  it('S1 S2 S3 S10 S13: any interleaving of orders, refusals, shutdowns, throwing observers, late ends and clock steps', async () => {
    let schedules = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
        fc.boolean(),
        fc.constantFrom(undefined, TIMEOUT_MS),
        async (steps, observerThrows, timeoutMs) => {
          schedules += 1;
          await play(steps, observerThrows, timeoutMs);
        },
      ),
      { seed: FC_SEED, numRuns: 200 },
    );
    // A run that never stopped between two admissions, or never refused for some reason, has proven nothing.
    expect(stoppedBetweenAdmissions.size).toBeGreaterThan(schedules / 10);
    expect([...seenCodes].sort()).toEqual(['shutdown_requested', ...Object.values(CODES)].sort());
  }, 60_000);
});
