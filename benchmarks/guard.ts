/** What the order door costs: over a bare await, when it refuses, in memory, with ten thousand orders in flight, and at import. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '../src/clock.js';
import { functionSource } from '../src/killSwitch/functionSource.js';
import { createKillSwitch } from '../src/killSwitch/killSwitch.js';
import { type BudgetRow, budgetRow, median } from './budget.js';
import { type Door, openDoor } from './parts/door.js';
import * as peers from './parts/guardPeers.js';
import { nanosOfEach, nanosOfEachNow, ratiosOf, shuffledRounds } from './parts/rounds.js';
import { nowMs } from './parts/samples.js';

const ROUNDS = 9;
const CALLS = 100_000;
const REFUSALS = 50_000;
const IN_FLIGHT = 10_000;
/** A start of Node.js differs from the next by more than an import costs. */
const STARTS_A_ROUND = 3;

const execute = promisify(execFile);

function mediansOf(figures: ReadonlyMap<string, readonly number[]>, base: string, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, median(ratiosOf(figures, name, base))]));
}

function overBase(figures: ReadonlyMap<string, readonly number[]>, name: string, base: string): readonly number[] {
  const bases = figures.get(base) ?? [];
  return (figures.get(name) ?? []).map((figure, round) => figure - (bases[round] ?? Number.NaN));
}

async function passes(rounds: number, door: Door): Promise<readonly BudgetRow[]> {
  const send: peers.Send = async () => 1;
  const calls: Readonly<Record<string, peers.Call>> = {
    bare: send,
    failflat: peers.guarded(send, door),
    'gate alone': peers.gated(send, {}),
    'gate and switch': peers.gated(send, { killSwitch: door.killSwitch }),
    'gate and lease': peers.gated(send, { lease: door.lease }),
    'gate and breakers': peers.gated(send, { breakers: door.breakers }),
    'by hand': peers.byHand(send),
    'cockatiel breaker': peers.cockatielBreaker(send),
    'cockatiel three policies': peers.cockatielThree(send),
    opossum: peers.opossum(send),
    'p-limit': peers.limited(send),
    'p-queue': peers.queued(send),
  };
  const measured = Object.entries(calls).map(([name, call]) => [name, () => door.fresh().then(() => nanosOfEach(CALLS, call))] as const);
  const figures = await shuffledRounds(rounds, {
    ...Object.fromEntries(measured),
    'a read of the monotonic clock': async () => nanosOfEachNow(CALLS, () => systemClock.monotonicMs()),
    'a read of the wall clock': async () => nanosOfEachNow(CALLS, () => systemClock.wallMs()),
  });
  const others = mediansOf(
    figures,
    'bare',
    [...figures.keys()].filter((name) => name !== 'bare' && name !== 'failflat'),
  );
  const ratios = ratiosOf(figures, 'failflat', 'bare');
  return [
    budgetRow('guarded submit with gate, switch, lease and breakers, over a bare await', 8, ratios, others),
    budgetRow('the same, stretch', 4, ratios, others),
  ];
}

async function refusals(rounds: number, door: Door): Promise<readonly BudgetRow[]> {
  const killSwitch = createKillSwitch({ sources: [functionSource(() => true)] });
  await killSwitch.ready;
  const submit = peers.guarded(async () => 1, { ...door, killSwitch });
  const refused = () => {
    if (submit.trySubmit().ok) throw new Error('an order passed a switch that halts');
  };
  const rejecting = async () => {
    throw new Error('refused');
  };
  const caught = (call: peers.Call) => () => call().catch(() => undefined);
  const open = await peers.openBreakers();
  const figures = await shuffledRounds(rounds, {
    rejection: () => nanosOfEach(REFUSALS, caught(rejecting)),
    failflat: () => door.fresh().then(() => nanosOfEachNow(REFUSALS, refused)),
    ...Object.fromEntries(Object.entries(open).map(([name, call]) => [name, () => nanosOfEach(REFUSALS, caught(call))])),
  });
  await killSwitch.close();
  const ratios = ratiosOf(figures, 'failflat', 'rejection');
  return [budgetRow('trySubmit that refuses, over an awaited rejection', 0.2, ratios, mediansOf(figures, 'rejection', Object.keys(open)))];
}

/** Starts as many calls as are wanted, ends them all, and waits for each. In ms. */
async function startAndDrain(wrap: (send: peers.Send) => peers.Call): Promise<number> {
  const ends: ((value: number) => void)[] = [];
  const call = wrap(() => new Promise((resolve) => ends.push(resolve)));
  const startedMs = nowMs();
  const calls = Array.from({ length: IN_FLIGHT }, () => call());
  // A queue calls later.
  while (ends.length < IN_FLIGHT) await Promise.resolve();
  for (const end of ends) end(1);
  await Promise.all(calls);
  return nowMs() - startedMs;
}

async function manyInFlight(rounds: number, door: Door): Promise<readonly BudgetRow[]> {
  const wrappers: Readonly<Record<string, (send: peers.Send) => peers.Call>> = {
    'by hand': peers.byHand,
    failflat: (send) => peers.guarded(send, door),
    'cockatiel breaker': peers.cockatielBreaker,
    opossum: peers.opossum,
    'p-limit': peers.limited,
    'p-queue': peers.queued,
  };
  const measured = Object.entries(wrappers).map(([name, wrap]) => [name, () => door.fresh().then(() => startAndDrain(wrap))] as const);
  const figures = await shuffledRounds(rounds, Object.fromEntries(measured));
  const others = mediansOf(figures, 'by hand', ['cockatiel breaker', 'opossum', 'p-limit', 'p-queue']);
  return [budgetRow('10,000 in flight, start and drain, over by hand', 3, ratiosOf(figures, 'failflat', 'by hand'), others)];
}

async function bytesInFlight(name: string): Promise<number> {
  const { stdout } = await execute(process.execPath, ['--expose-gc', join(import.meta.dirname, 'processes', 'guardMemory.js'), name]);
  return Number(stdout);
}

async function memory(rounds: number): Promise<readonly BudgetRow[]> {
  const wrappers = {
    byHand: 'by hand',
    guarded: 'failflat',
    cockatielBreaker: 'cockatiel',
    opossum: 'opossum',
    limited: 'p-limit',
    queued: 'p-queue',
  };
  const measured = Object.entries(wrappers).map(([wrapper, name]) => [name, () => bytesInFlight(wrapper)] as const);
  const figures = await shuffledRounds(rounds, Object.fromEntries(measured));
  const over = (name: string) => overBase(figures, name, 'by hand');
  const others = Object.fromEntries(['cockatiel', 'opossum', 'p-limit', 'p-queue'].map((name) => [name, median(over(name))]));
  return [budgetRow('memory of an order in flight, over by hand, bytes', 600, over('failflat'), others)];
}

/** From the start of a process to its end, in ms: the median of a few. */
async function startMs(code: string): Promise<number> {
  const times: number[] = [];
  for (let start = 0; start < STARTS_A_ROUND; start += 1) {
    const startedMs = nowMs();
    await execute(process.execPath, ['--input-type=module', '-e', code]);
    times.push(nowMs() - startedMs);
  }
  return median(times);
}

async function imports(rounds: number): Promise<readonly BudgetRow[]> {
  const importing = (what: string) => () => startMs(`import ${JSON.stringify(what)}`);
  const figures = await shuffledRounds(rounds, {
    'bare Node': () => startMs(''),
    failflat: importing(pathToFileURL(join('dist', 'index.js')).href),
    cockatiel: importing('cockatiel'),
    opossum: importing('opossum'),
    'p-limit': importing('p-limit'),
    'p-queue': importing('p-queue'),
  });
  const names = ['cockatiel', 'opossum', 'p-limit', 'p-queue'];
  const over = (name: string) => overBase(figures, name, 'bare Node');
  const others = Object.fromEntries(names.map((name) => [name, median(over(name))]));
  const bare = { 'bare Node ms': median(figures.get('bare Node') ?? []) };
  return [
    budgetRow('a process that imports the root, over bare Node', 1.37, ratiosOf(figures, 'failflat', 'bare Node'), {
      ...mediansOf(figures, 'bare Node', names),
      ...bare,
    }),
    budgetRow('import of the root, over bare Node, ms', 15, over('failflat'), { ...others, ...bare }),
  ];
}

export async function runRounds(rounds: number): Promise<readonly BudgetRow[]> {
  const door = await openDoor();
  try {
    return [
      ...(await passes(rounds, door)),
      ...(await refusals(rounds, door)),
      ...(await manyInFlight(rounds, door)),
      ...(await memory(rounds)),
      ...(await imports(rounds)),
    ];
  } finally {
    await door.close();
  }
}

export const run = (): Promise<readonly BudgetRow[]> => runRounds(ROUNDS);
