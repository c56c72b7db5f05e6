/** A model of the order door, and schedules of everything that can happen around it: what the guard does must be what the model says. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { BrokerRejectedError } from '../../src/broker/broker.js';
import { type IntentKind, type Permission, REFUSAL_CODES, type RefusalCode } from '../../src/permission.js';
import { OrderOutcomeUnknownError } from '../../src/shutdownGate/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { type GuardedSubmit, guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import type { GuardOptions } from '../../src/shutdownGate/options.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { openCall, refusalOf, settled } from './support.js';

export interface Order {
  readonly id: string;
  readonly intent: IntentKind;
  readonly throws: boolean;
  /** Whether the proof of a `reduce` holds. */
  readonly proven: boolean;
}

export type Send = (order: Order) => Promise<string>;
export type Submit = Pick<GuardedSubmit<Send>, 'trySubmit'>;
export type MakeSubmit = (send: Send, options: GuardOptions<[Order]>) => Submit;

type End = 'ack' | 'reject' | 'lose';

/** Who may say no, and with which codes. The lease says no by itself when its time is up. */
const CODES = {
  state: ['trading_halted', 'trading_reducing', 'exit_in_progress'],
  killSwitch: ['kill_switch_enabled'],
  breakers: ['circuit_breaker_volatility'],
} as const satisfies Readonly<Record<string, readonly RefusalCode[]>>;
type Sayer = keyof typeof CODES;

export const LEASE_MS = 500;
export const TIMEOUT_MS = 250;

const submission = fc.record({
  intent: fc.constantFrom<IntentKind>('increase', 'increase', 'cancel', 'reduce'),
  throws: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 0),
  proven: fc.integer({ min: 0, max: 3 }).map((draw) => draw > 0),
});

const step = fc.oneof(
  { weight: 8, arbitrary: submission.map((order) => ({ do: 'submit' as const, ...order })) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('end' as const), pick: fc.nat(30), how: fc.constantFrom<End>('ack', 'reject', 'lose') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('flip' as const),
      who: fc.constantFrom<Sayer>('state', 'killSwitch', 'breakers'),
      pick: fc.nat(2),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'renew' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 400 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stepWall' as const), ms: fc.integer({ min: -3_600_000, max: 3_600_000 }) }) },
  // The loop stands still, and an order comes before any timer has had its turn.
  {
    weight: 2,
    arbitrary: submission.chain((order) => fc.integer({ min: 1, max: 2_000 }).map((ms) => ({ do: 'stall' as const, ms, ...order }))),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('shutdown' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resolve' as const), pick: fc.nat(30) }) },
);
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

export const schedules = fc.record({
  steps: fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
  observerThrows: fc.boolean(),
  timeoutMs: fc.constantFrom(undefined, TIMEOUT_MS),
});
export type Schedule = typeof schedules extends fc.Arbitrary<infer T> ? T : never;

/** What the model knows of one admitted order. */
interface Known {
  readonly id: string;
  readonly entryId: number;
  readonly admittedMs: number;
  ended: End | undefined;
  resolved: boolean;
  told: string | undefined;
}

/** What all schedules of a run have met: a run that met little has proven little. */
export interface Met {
  readonly codes: Set<string>;
  /** Schedules in which something was refused between two admissions. */
  stoppedBetweenAdmissions: number;
}

class World {
  readonly clock = new ManualClock();
  readonly gate = createShutdownGate({ clock: this.clock });
  readonly calls = new Map<string, ReturnType<typeof openCall<string>>>();
  readonly sent: string[] = [];
  readonly said = new Map<Sayer, RefusalCode>();
  readonly known: Known[] = [];
  leaseUntilMs: number | undefined;
  refusedSinceAdmission = false;
  hasStoppedBetween = false;
  number = 0;
  readonly submit: Submit;
  readonly timeoutMs: number | undefined;
  readonly #met: Met;

  constructor(make: MakeSubmit, { observerThrows, timeoutMs }: Schedule, met: Met) {
    this.#met = met;
    this.timeoutMs = timeoutMs;
    const send: Send = (order) => {
      this.sent.push(order.id);
      if (order.throws) throw new Error('synchronous');
      const call = openCall<string>();
      this.calls.set(order.id, call);
      return call.promise;
    };
    this.submit = make(send, {
      gate: this.gate,
      killSwitch: this.#sayer('killSwitch'),
      breakers: this.#sayer('breakers'),
      permissions: [this.#sayer('state')],
      lease: { name: 'lease', check: (nowMs, intent) => this.#leaseRefusal(nowMs, intent) },
      label: ({ id }) => id,
      intent: ({ intent }) => intent,
      verifyReduce: ({ proven }) => ({
        account: 'a',
        symbol: 's',
        side: 'sell',
        quantity: 1,
        position: proven ? 1_000_000 : 0,
        positionAgeMs: 0,
      }),
      ...(timeoutMs === undefined ? {} : { submissionTimeoutMs: timeoutMs }),
      observe: () => {
        if (observerThrows) throw new Error('observer');
      },
    });
  }

  submitOne({ intent, throws, proven }: Omit<Order, 'id'>): void {
    const id = `order-${this.number++}`;
    const expected = this.#expected(intent, proven);
    const before = this.gate.inflight();
    const admission = this.submit.trySubmit({ id, intent, throws, proven });
    expect(admission.ok ? undefined : admission.code).toBe(expected);
    expect(this.sent.includes(id)).toBe(admission.ok);
    expect(this.gate.inflight()).toBe(before + (admission.ok ? 1 : 0));
    if (!admission.ok) {
      this.#met.codes.add(admission.code);
      this.refusedSinceAdmission = true;
      return;
    }
    if (this.refusedSinceAdmission && this.known.length > 0) this.hasStoppedBetween = true;
    this.refusedSinceAdmission = false;
    const ended = throws ? ('lose' as const) : undefined;
    const entry: Known = {
      id,
      entryId: admission.entryId,
      admittedMs: this.clock.monotonicMs(),
      ended,
      resolved: false,
      told: undefined,
    };
    this.known.push(entry);
    admission.outcome.then(
      (value) => {
        entry.told = value;
      },
      (error: unknown) => {
        entry.told = error instanceof OrderOutcomeUnknownError ? 'timeout' : String(error);
        if (error instanceof OrderOutcomeUnknownError) void error.settled.then(({ outcome }) => (entry.told = `late ${outcome}`));
      },
    );
  }

  flip(who: Sayer, pick: number): void {
    const codes = CODES[who];
    const code = codes[pick % codes.length];
    if (this.said.has(who) || code === undefined) this.said.delete(who);
    else this.said.set(who, code);
  }

  end(entry: Known, how: End): void {
    entry.ended = how;
    if (how === 'ack') this.calls.get(entry.id)?.resolve('ack');
    else this.calls.get(entry.id)?.reject(how === 'reject' ? new BrokerRejectedError('other', 'no') : new Error('lost'));
  }

  resolve(entry: Known): void {
    const result = this.gate.resolve(entry.entryId, 'acknowledged', { by: 'ops' });
    expect(result).toBe(entry.ended === undefined ? 'in_flight' : entry.ended === 'lose' && !entry.resolved ? 'resolved' : 'not_found');
    if (result === 'resolved') entry.resolved = true;
  }

  async judge(): Promise<void> {
    const { gate, clock, sent, known } = this;
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
    const wrong = known.filter(({ ended, told }) => !mayBeTold(ended, this.timeoutMs !== undefined).includes(told));
    expect(wrong).toEqual([]);
  }

  #sayer(who: Sayer): Permission {
    return {
      name: who,
      check: (_nowMs, intent) => {
        const code = this.said.get(who);
        return code === undefined || intent !== 'increase' ? undefined : refusalOf(code);
      },
    };
  }

  #leaseRefusal(nowMs: number, intent: IntentKind) {
    if (intent !== 'increase') return undefined;
    if (this.leaseUntilMs === undefined) return refusalOf('lease_missing');
    return nowMs < this.leaseUntilMs ? undefined : refusalOf('lease_expired');
  }

  #expected(intent: IntentKind, proven: boolean): RefusalCode | undefined {
    if (this.gate.requested) return 'shutdown_requested';
    if (intent === 'cancel') return undefined;
    if (intent === 'reduce') return proven ? undefined : 'not_reducing';
    const lease = this.#leaseRefusal(this.clock.monotonicMs(), intent)?.code;
    const codes = [...this.said.values(), ...(lease === undefined ? [] : [lease])];
    const first = REFUSAL_CODES.find((code) => codes.includes(code));
    return first ?? codes[0];
  }
}

/** What a caller may have heard of its order: how it ended, or that its wait ended first and then how it ended. */
function mayBeTold(ended: End | undefined, bounded: boolean): readonly (string | undefined)[] {
  const late = (word: string): string[] => (bounded ? [word] : []);
  if (ended === 'ack') return ['ack', ...late('late acknowledged')];
  if (ended === 'reject') return ['BrokerRejectedError: no', ...late('late refused')];
  if (ended === 'lose') return ['Error: lost', 'Error: synchronous', ...late('late unknown')];
  return [undefined, ...late('timeout')];
}

async function take(world: World, action: Step): Promise<void> {
  const { clock, known } = world;
  const entry = 'pick' in action ? known[action.pick % Math.max(known.length, 1)] : undefined;
  if (action.do === 'submit') world.submitOne(action);
  if (action.do === 'flip') world.flip(action.who, action.pick);
  if (action.do === 'renew') world.leaseUntilMs = clock.monotonicMs() + LEASE_MS;
  if (action.do === 'end' && entry !== undefined && entry.ended === undefined) world.end(entry, action.how);
  if (action.do === 'advance') await clock.advance(action.ms);
  if (action.do === 'stall') {
    const first = Promise.resolve().then(() => world.submitOne(action));
    await Promise.all([clock.stall(action.ms), first]);
  }
  if (action.do === 'stepWall') clock.stepWall(action.ms);
  if (action.do === 'shutdown') world.gate.requestShutdown(`at ${world.number}`);
  await settled();
  if (action.do === 'resolve' && entry !== undefined) world.resolve(entry);
  await world.judge();
}

/** Plays one schedule against what `make` guards; throws where it is not as the model says. */
export async function playSchedule(schedule: Schedule, met: Met, make: MakeSubmit = guardOrderSubmission): Promise<void> {
  const world = new World(make, schedule, met);
  for (const action of schedule.steps) await take(world, action);
  expect(new Set(world.sent).size).toBe(world.sent.length);
  if (world.hasStoppedBetween) met.stoppedBetweenAdmissions += 1;
}
