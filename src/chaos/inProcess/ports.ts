/** Faults at the ports: what goes wrong is told in each port's own words, and never in a way that its contract rules out. */
import { type Broker, BrokerUnavailableError } from '../../broker/broker.js';
import {
  type AppendOutcome,
  type AppendRefusal,
  type Bus,
  BusUnavailableError,
  type CompareAndSetOutcome,
  type ConsumerGroup,
  type Delivery,
  type Latch,
  type ProbeResult,
} from '../../bus/bus.js';
import { DEFAULT_APPEND_TIMEOUT_MS } from '../../bus/policy.js';
import { checkDurationMs } from '../../checks.js';
import { messageOf, systemCodeOf } from '../../errors.js';
import type { ChaosEngine } from './engine.js';
import type { Effect } from './faults.js';

/** Writes that surely had no effect, by what the system said. Of any other error a bus cannot be sure. */
const REFUSALS: ReadonlyMap<string | undefined, AppendRefusal> = new Map([
  ['ENOSPC', 'no_space'],
  ['EROFS', 'read_only'],
  ['ECONNREFUSED', 'unavailable'],
  ['ENETUNREACH', 'unavailable'],
  ['EAI_AGAIN', 'unavailable'],
]);

type FailedWrite =
  | { readonly outcome: 'refused'; readonly reason: AppendRefusal; readonly detail: string }
  | { readonly outcome: 'unknown'; readonly detail: string };

function failedWrite(error: Error, effect: Effect): FailedWrite {
  const reason = effect === 'none' ? REFUSALS.get(systemCodeOf(error)) : undefined;
  const detail = messageOf(error);
  return reason === undefined ? { outcome: 'unknown', detail } : { outcome: 'refused', reason, detail };
}

function failedRead(error: Error): never {
  throw new BusUnavailableError(messageOf(error), { cause: error });
}

/** A bus promises that no write is repeated, and that the records of one writer keep their order. */
const RULED_OUT_ON_A_BUS = ['duplicate', 'reorder'] as const;
/** A read that waits for news comes back this long after its own time at the latest. */
const CALL_MS = 500;

type WaitOptions = { readonly blockMs?: number } | undefined;

/** The same bus with faults in its calls. Targets: `bus.append`, `bus.read`, `bus.latest`, `latch.get`, `latch.compareAndSet` and so on. */
export function chaosBus(bus: Bus, engine: ChaosEngine): Bus {
  const read = <A extends readonly unknown[], R>(name: string, waitMs: (...args: A) => number = () => 0) =>
    engine.target<A, R>(name, {
      fail: failedRead,
      rulesOut: RULED_OUT_ON_A_BUS,
      timeoutMs: (...args) => CALL_MS + waitMs(...args),
    });
  const append = engine.target<Parameters<Bus['append']>, AppendOutcome>('bus.append', {
    fail: failedWrite,
    outcome: () => ({ outcome: 'refused', reason: 'unavailable', detail: 'refused by the chaos engine' }),
    rulesOut: RULED_OUT_ON_A_BUS,
    timeoutMs: (_stream, _fields, options) => options?.timeoutMs ?? DEFAULT_APPEND_TIMEOUT_MS,
  });
  const probe = engine.target<[], ProbeResult>('bus.probe', {
    fail: (error) => ({ ok: false, detail: messageOf(error) }),
    rulesOut: RULED_OUT_ON_A_BUS,
    timeoutMs: () => CALL_MS,
  });
  const reads = read<Parameters<Bus['read']>, Awaited<ReturnType<Bus['read']>>>(
    'bus.read',
    (_stream, _cursor, options: WaitOptions) => options?.blockMs ?? 0,
  );
  const ends = read<Parameters<Bus['end']>, Awaited<ReturnType<Bus['end']>>>('bus.end');
  const latests = read<Parameters<Bus['latest']>, Awaited<ReturnType<Bus['latest']>>>('bus.latest');
  const latchOf = latchTargets(engine);
  const groupOf = groupTargets(engine);
  return {
    url: bus.url,
    append: (...args) => append(args, () => bus.append(...args)),
    read: (...args) => reads(args, () => bus.read(...args)),
    end: (...args) => ends(args, () => bus.end(...args)),
    latest: (...args) => latests(args, () => bus.latest(...args)),
    group: (stream, name) => groupOf(bus.group(stream, name)),
    latch: (key) => latchOf(bus.latch(key)),
    probe: () => probe([], () => bus.probe()),
    close: () => bus.close(),
    [Symbol.asyncDispose]: () => bus.close(),
  };
}

function latchTargets(engine: ChaosEngine): (latch: Latch) => Latch {
  type Value = Awaited<ReturnType<Latch['get']>>;
  const base = { fail: failedRead, rulesOut: RULED_OUT_ON_A_BUS };
  const get = engine.target<[], Value>('latch.get', { ...base, timeoutMs: () => CALL_MS });
  const watch = engine.target<Parameters<Latch['watch']>, Value>('latch.watch', {
    ...base,
    timeoutMs: (_version, options) => CALL_MS + (options.blockMs ?? 0),
  });
  const set = engine.target<Parameters<Latch['compareAndSet']>, CompareAndSetOutcome>('latch.compareAndSet', {
    fail: failedWrite,
    outcome: () => ({ outcome: 'conflict' }),
    rulesOut: RULED_OUT_ON_A_BUS,
    timeoutMs: () => CALL_MS,
  });
  return (latch) => ({
    get: () => get([], () => latch.get()),
    watch: (...args) => watch(args, () => latch.watch(...args)),
    compareAndSet: (...args) => set(args, () => latch.compareAndSet(...args)),
  });
}

function groupTargets(engine: ChaosEngine): (group: ConsumerGroup) => ConsumerGroup {
  const base = { fail: failedRead, rulesOut: RULED_OUT_ON_A_BUS };
  const next = engine.target<Parameters<ConsumerGroup['next']>, Delivery | undefined>('group.next', {
    ...base,
    timeoutMs: (_consumer, options) => CALL_MS + (options.blockMs ?? 0),
  });
  const pending = engine.target<[], Awaited<ReturnType<ConsumerGroup['pending']>>>('group.pending', { ...base, timeoutMs: () => CALL_MS });
  const ack = engine.target<[], boolean>('delivery.ack', { ...base, timeoutMs: () => CALL_MS });
  const renew = engine.target<[], boolean>('delivery.renew', { ...base, timeoutMs: () => CALL_MS });
  const delivered = (delivery: Delivery): Delivery => ({
    record: delivery.record,
    deliveries: delivery.deliveries,
    renew: () => renew([], () => delivery.renew()),
    ack: () => ack([], () => delivery.ack()),
    release: () => delivery.release(),
  });
  return (group) => ({
    next: async (...args) => {
      const delivery = await next(args, () => group.next(...args));
      return delivery === undefined ? undefined : delivered(delivery);
    },
    pending: () => pending([], () => group.pending()),
  });
}

export interface ChaosBrokerOptions {
  /** When a call of the broker surely settles: a hang lasts no longer. Default: as long as the engine says. */
  readonly timeoutMs?: number;
}

/** The same broker with faults in its calls. Targets: `broker.submit`, `broker.positions` and so on. */
export function chaosBroker(broker: Broker, engine: ChaosEngine, options: ChaosBrokerOptions = {}): Broker {
  const { timeoutMs } = options;
  if (timeoutMs !== undefined) checkDurationMs('timeoutMs', timeoutMs, { min: 1 });
  const target = <A extends readonly unknown[], R>(name: string) =>
    engine.target<A, R>(`broker.${name}`, {
      // Also of an order that was never sent the caller may not be sure: it has only the error to go by.
      fail: (error) => {
        throw new BrokerUnavailableError(messageOf(error), { cause: error });
      },
      ...(timeoutMs === undefined ? {} : { timeoutMs: () => timeoutMs }),
    });
  type ResultOf<K extends keyof Broker> = Awaited<ReturnType<Broker[K]>>;
  const identity = target<Parameters<Broker['identity']>, ResultOf<'identity'>>('identity');
  const capabilities = target<Parameters<Broker['capabilities']>, ResultOf<'capabilities'>>('capabilities');
  const positions = target<Parameters<Broker['positions']>, ResultOf<'positions'>>('positions');
  const openOrders = target<Parameters<Broker['openOrders']>, ResultOf<'openOrders'>>('openOrders');
  const submit = target<Parameters<Broker['submit']>, ResultOf<'submit'>>('submit');
  const cancel = target<Parameters<Broker['cancel']>, ResultOf<'cancel'>>('cancel');
  const query = target<Parameters<Broker['orderByClientId']>, ResultOf<'orderByClientId'>>('orderByClientId');
  return {
    identity: (...args) => identity(args, () => broker.identity(...args)),
    capabilities: (...args) => capabilities(args, () => broker.capabilities(...args)),
    positions: (...args) => positions(args, () => broker.positions(...args)),
    openOrders: (...args) => openOrders(args, () => broker.openOrders(...args)),
    submit: (...args) => submit(args, () => broker.submit(...args)),
    cancel: (...args) => cancel(args, () => broker.cancel(...args)),
    orderByClientId: (...args) => query(args, () => broker.orderByClientId(...args)),
    close: () => broker.close(),
  };
}
