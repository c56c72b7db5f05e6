/** Orders with repeated ids, refusals, lapses, shutdowns and restarts in any order, while intents are on their way to a real disk. */
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Refusal, RefusalCode } from '../../../src/permission.js';
import { OrderRefusedError } from '../../../src/shutdownGate/errors.js';
import { createShutdownGate, type ShutdownGate } from '../../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../../src/shutdownGate/guard.js';
import type { GuardOptions } from '../../../src/shutdownGate/options.js';
import { ManualClock } from '../../../src/testing/manualClock.js';
import { fastTemporaryDirectory } from '../../support/temporaryDirectory.js';
import { FC_SEED, refusalOf } from '../support.js';

const RUNS = 60;
const SEND_WITHIN_MS = 500;

interface Order {
  readonly id: string;
}
type Submit = (order: Order) => Promise<string>;
type MakeSubmit = (send: Submit, options: GuardOptions<[Order]>) => Submit;

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('submit' as const), ids: fc.array(fc.nat(7), { minLength: 1, maxLength: 4 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      code: fc.constantFrom<RefusalCode | undefined>(undefined, undefined, 'trading_halted', 'kill_switch_enabled', 'lease_expired'),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'settle' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 2 * SEND_WITHIN_MS }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'shutdown' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
const schedules = fc.array(step, { minLength: 5, maxLength: 25, size: 'max' });

class World {
  readonly clock = new ManualClock();
  readonly directory = fastTemporaryDirectory();
  readonly sent: string[] = [];
  /** Ids whose fate was settled when the next order came. */
  readonly used = new Set<string>();
  readonly wrong: string[] = [];
  readonly codes = new Set<string>();
  readonly #make: MakeSubmit;
  #underWay: Promise<void>[] = [];
  #code: RefusalCode | undefined;
  /** Whether something has changed since the orders under way were submitted. */
  #isDisturbed = false;
  #gate: ShutdownGate;
  #submit: Submit;

  constructor(make: MakeSubmit) {
    this.#make = make;
    [this.#gate, this.#submit] = this.#begin();
  }

  async take(action: Step): Promise<void> {
    if (action.do === 'submit') for (const id of action.ids) this.#submitOne(`order-${id}`);
    if (action.do === 'say') this.#disturb(() => (this.#code = action.code));
    if (action.do === 'shutdown') this.#disturb(() => this.#gate.requestShutdown('stop'));
    if (action.do === 'advance') {
      this.#isDisturbed = true;
      await this.clock.advance(action.ms);
    }
    if (action.do === 'settle' || action.do === 'restart') await this.settle();
    if (action.do === 'restart') [this.#gate, this.#submit] = this.#begin();
  }

  async settle(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#underWay = [];
    this.#isDisturbed = false;
    for (const id of this.sent) this.used.add(id);
    if (this.#gate.inflight() !== 0) this.wrong.push(`${this.#gate.inflight()} are in flight though all have ended`);
  }

  #begin(): [ShutdownGate, Submit] {
    const gate = createShutdownGate({ clock: this.clock });
    const send: Submit = async ({ id }) => {
      if (gate.requested || this.#code !== undefined) this.wrong.push(`${id} was sent against ${this.#code ?? 'a shutdown'}`);
      this.sent.push(id);
      return id;
    };
    const check = (): Refusal | undefined => (this.#code === undefined ? undefined : refusalOf(this.#code));
    const intentLog = { directory: this.directory, clientOrderId: ({ id }: Order) => id, sendWithinMs: SEND_WITHIN_MS };
    return [gate, this.#make(send, { gate, permissions: [{ name: 'sayer', check }], intentLog })];
  }

  #disturb(change: () => void): void {
    change();
    this.#isDisturbed = true;
  }

  #submitOne(id: string): void {
    const atDoor = this.#gate.requested ? 'shutdown_requested' : this.#code;
    const wasUsed = this.used.has(id);
    const followed = this.#submit({ id }).then(
      () => (wasUsed || atDoor !== undefined ? this.wrong.push(`${id} was acknowledged against ${atDoor ?? 'its first use'}`) : 0),
      (error: unknown) => this.#heard(id, error, atDoor ?? (wasUsed ? 'duplicate_client_order_id' : undefined)),
    );
    this.#underWay.push(followed.then(() => undefined));
  }

  #heard(id: string, error: unknown, expected: string | undefined): void {
    if (!(error instanceof OrderRefusedError)) this.wrong.push(`${id} ended with ${String(error)}`);
    else {
      this.codes.add(error.code);
      // What changed meanwhile, or another order with this id that was under way, may refuse it too.
      // Its time may also have run out before the disk said that it was sent before.
      const wasLate = expected === 'duplicate_client_order_id' && this.#isDisturbed && error.source === 'intent_log';
      if (expected !== undefined && error.code !== expected && !wasLate) this.wrong.push(`${id} heard ${error.code}, not ${expected}`);
      if (expected === undefined && !this.#isDisturbed && error.code !== 'duplicate_client_order_id')
        this.wrong.push(`${id} heard ${error.code}, and nothing stood against it`);
    }
  }
}

async function play(steps: readonly Step[], codes: Set<string>, make: MakeSubmit = guardOrderSubmission): Promise<void> {
  const world = new World(make);
  try {
    for (const action of steps) await world.take(action);
    await world.settle();
    expect(world.wrong).toEqual([]);
    expect(world.sent.toSorted()).toEqual([...new Set(world.sent)].toSorted());
    for (const code of world.codes) codes.add(code);
  } finally {
    rmSync(world.directory, { recursive: true, force: true });
  }
}

/** Forgets what it has sent when the process does. */
const inMemory: MakeSubmit = (send, { gate, permissions = [] }) => {
  const guarded = guardOrderSubmission(send, { ...(gate === undefined ? {} : { gate }), permissions });
  const used = new Set<string>();
  return (order) => {
    if (used.has(order.id)) return Promise.reject(new OrderRefusedError(refusalOf('duplicate_client_order_id')));
    used.add(order.id);
    return guarded(order);
  };
};

/** Asks the door alone when the order comes, not again when its intent is kept. */
const askedOnce: MakeSubmit = (send, options) => {
  const { permissions: [first] = [], ...rest } = options;
  const asked = new Set<string>();
  return (order) => {
    const check = (nowMs: number, intent: 'increase') => (asked.has(order.id) ? undefined : first?.check(nowMs, intent));
    const submit = guardOrderSubmission(send, { ...rest, permissions: [{ name: 'once', check: (now) => check(now, 'increase') }] });
    const submitted = submit(order);
    asked.add(order.id);
    return submitted;
  };
};

describe('intent log against its model', () => {
  it('S1 S2 S3: no id is sent twice, and none against a refusal that came while its intent was kept', async () => {
    const codes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(schedules, (steps) => play(steps, codes)),
      { seed: FC_SEED, numRuns: RUNS },
    );
    expect([...codes].toSorted()).toEqual([
      'duplicate_client_order_id',
      'kill_switch_enabled',
      'lease_expired',
      'shutdown_requested',
      'trading_halted',
    ]);
  }, 60_000);

  it.each([
    ['ids that it forgets when it is started anew', inMemory],
    ['its door asked once', askedOnce],
  ])(
    'is red for a guard with %s',
    async (_what, make) => {
      const result = await fc.check(
        fc.asyncProperty(schedules, (steps) => play(steps, new Set(), make)),
        { seed: FC_SEED, numRuns: RUNS },
      );
      expect(result.failed).toBe(true);
      expect(String(result.errorInstance)).toMatch(/AssertionError/);
    },
    60_000,
  );
});
