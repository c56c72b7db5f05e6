/** What the order door costs: over a bare await, when it refuses, in memory, with ten thousand orders in flight, and at import. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type BudgetRow, budgetRow, median } from './budget.js';
import * as peers from './parts/guardPeers.js';
import { nanosOfEach, nanosOfEachNow, ratiosOf, shuffledRounds } from './parts/rounds.js';
import { nowMs } from './parts/samples.js';

const ROUNDS = 9;
const CALLS = 100_000;
const REFUSALS = 50_000;
const IN_FLIGHT = 10_000;
const IMPORTS = 15;

const execute = promisify(execFile);

function mediansOf(figures: ReadonlyMap<string, readonly number[]>, base: string, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, median(ratiosOf(figures, name, base))]));
}

async function passes(): Promise<readonly BudgetRow[]> {
  const send: peers.Send = async () => 1;
  const calls: Readonly<Record<string, peers.Call>> = {
    bare: send,
    failflat: peers.guarded(send),
    'by hand': peers.byHand(send),
    'cockatiel breaker': peers.cockatielBreaker(send),
    'cockatiel three policies': peers.cockatielThree(send),
    opossum: peers.opossum(send),
    'p-limit': peers.limited(send),
    'p-queue': peers.queued(send),
  };
  const measured = Object.entries(calls).map(([name, call]) => [name, () => nanosOfEach(CALLS, call)] as const);
  const figures = await shuffledRounds(ROUNDS, Object.fromEntries(measured));
  const others = mediansOf(
    figures,
    'bare',
    Object.keys(calls).filter((name) => name !== 'bare' && name !== 'failflat'),
  );
  const ratios = ratiosOf(figures, 'failflat', 'bare');
  return [
    budgetRow('guarded submit with gate, switch, lease and breakers, over a bare await', 8, ratios, others),
    budgetRow('the same, stretch', 4, ratios, others),
  ];
}

async function refusals(): Promise<readonly BudgetRow[]> {
  const submit = peers.guarded(async () => 1, true);
  const rejecting = async () => {
    throw new Error('refused');
  };
  const caught = (call: peers.Call) => () => call().catch(() => undefined);
  const open = await peers.openBreakers();
  const figures = await shuffledRounds(ROUNDS, {
    rejection: () => nanosOfEach(REFUSALS, caught(rejecting)),
    failflat: async () => nanosOfEachNow(REFUSALS, () => submit.trySubmit()),
    ...Object.fromEntries(Object.entries(open).map(([name, call]) => [name, () => nanosOfEach(REFUSALS, caught(call))])),
  });
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

async function manyInFlight(): Promise<readonly BudgetRow[]> {
  const figures = await shuffledRounds(ROUNDS, {
    'by hand': () => startAndDrain(peers.byHand),
    failflat: () => startAndDrain(peers.guarded),
    'cockatiel breaker': () => startAndDrain(peers.cockatielBreaker),
    opossum: () => startAndDrain(peers.opossum),
  });
  const others = mediansOf(figures, 'by hand', ['cockatiel breaker', 'opossum']);
  return [budgetRow('10,000 in flight, start and drain, over by hand', 3, ratiosOf(figures, 'failflat', 'by hand'), others)];
}

async function bytesInFlight(name: string): Promise<number> {
  const { stdout } = await execute(process.execPath, ['--expose-gc', join(import.meta.dirname, 'processes', 'guardMemory.js'), name]);
  return Number(stdout);
}

async function memory(): Promise<readonly BudgetRow[]> {
  const names = ['byHand', 'guarded', 'cockatielBreaker', 'opossum'];
  const figures = await shuffledRounds(5, Object.fromEntries(names.map((name) => [name, () => bytesInFlight(name)])));
  const floors = figures.get('byHand') ?? [];
  const over = (name: string) => (figures.get(name) ?? []).map((bytes, round) => bytes - (floors[round] ?? Number.NaN));
  const others = { cockatiel: median(over('cockatielBreaker')), opossum: median(over('opossum')) };
  return [budgetRow('memory of an order in flight, over by hand, bytes', 600, over('guarded'), others)];
}

async function startMs(code: string): Promise<number> {
  const startedMs = nowMs();
  await execute(process.execPath, ['--input-type=module', '-e', code]);
  return nowMs() - startedMs;
}

async function imports(): Promise<readonly BudgetRow[]> {
  const root = pathToFileURL(join('dist', 'index.js')).href;
  const figures = await shuffledRounds(IMPORTS, { bare: () => startMs(''), failflat: () => startMs(`import ${JSON.stringify(root)}`) });
  const bare = figures.get('bare') ?? [];
  const over = (figures.get('failflat') ?? []).map((ms, round) => ms - (bare[round] ?? Number.NaN));
  return [budgetRow('import of the root, over bare Node, ms', 15, over, { 'bare Node': median(bare) })];
}

export async function run(): Promise<readonly BudgetRow[]> {
  return [...(await passes()), ...(await refusals()), ...(await manyInFlight()), ...(await memory()), ...(await imports())];
}
