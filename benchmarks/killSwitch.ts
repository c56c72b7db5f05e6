/** What a kill switch costs to ask, beside a switch that is read each time, and how long after it is thrown the last process refuses. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBus } from '../src/bus/openBus.js';
import { systemClock } from '../src/clock.js';
import { functionSource } from '../src/killSwitch/functionSource.js';
import { createKillSwitch } from '../src/killSwitch/killSwitch.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE } from '../src/messages/tradingState.js';
import { halt } from '../src/tradingState/halt.js';
import { readTradingState } from '../src/tradingState/read.js';
import { type BudgetRow, budgetRow, median } from './budget.js';
import { KINDS, type Kind, openPlace } from './parts/places.js';
import { type Asking, haltLatencies, latencyRow, PROCESSES } from './parts/probes.js';
import { nanosOfEach, nanosOfEachNow, ratiosOf, shuffledRounds } from './parts/rounds.js';

const ROUNDS = 15;
/** So many that they end well within the time for which one answer of a source counts. */
const ASKS = 200_000;
const FILE_READS = 5_000;
const BUS_READS = 500;
/** The bounds of the promise on halts, at p99. */
const BUS_LIMIT_MS = 50;
const FILE_LIMIT_MS = 250;

async function inNewDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'failflat-bench-'));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function reads(rounds: number): Promise<readonly BudgetRow[]> {
  const killSwitch = createKillSwitch({ sources: [functionSource(() => false)] });
  await killSwitch.ready;
  const flag = { halted: false };
  let passed = 0;
  const door = async () => {
    const nowMs = systemClock.monotonicMs();
    return nanosOfEachNow(ASKS, () => {
      if (killSwitch.check(nowMs, 'increase') === undefined) passed += 1;
    });
  };
  // An answer must be fresh again before the next ones are counted.
  const fresh = async (measure: () => Promise<number>) => {
    while (killSwitch.state().checkedAgeMs > 200) await systemClock.sleep(5);
    return measure();
  };
  const directory = mkdtempSync(join(tmpdir(), 'failflat-bench-'));
  const path = join(directory, 'halted');
  writeFileSync(path, '0\n');
  const places = await Promise.all(KINDS.map(openPlace));
  const buses = await Promise.all(places.map(({ url }) => openBus(url)));
  const gets = KINDS.map(
    (kind, index) => [`${kind} read`, () => nanosOfEach(BUS_READS, () => buses[index]?.latch(TRADING_STATE).get())] as const,
  );
  try {
    const figures = await shuffledRounds(rounds, {
      'clock read': async () => nanosOfEachNow(ASKS, () => systemClock.monotonicMs()),
      'both clocks': async () => nanosOfEachNow(ASKS, () => systemClock.monotonicMs() + systemClock.wallMs()),
      boolean: async () => nanosOfEachNow(ASKS, () => flag.halted),
      check: () => fresh(door),
      isHalted: () => fresh(async () => nanosOfEachNow(ASKS, () => (killSwitch.isHalted() ? undefined : (passed += 1)))),
      'file read': async () => nanosOfEachNow(FILE_READS, () => readFileSync(path, 'utf8').trim() === '1'),
      ...Object.fromEntries(gets),
    });
    if (passed !== 2 * (rounds + 1) * ASKS) throw new Error(`the switch halted in the middle of it: ${passed} passed`);
    return readRows(figures);
  } finally {
    await killSwitch.close();
    for (const bus of buses) await bus.close();
    for (const place of places) await place.dispose();
    rmSync(directory, { recursive: true });
  }
}

function readRows(figures: ReadonlyMap<string, readonly number[]>): readonly BudgetRow[] {
  const over = (name: string, base: string) => median(ratiosOf(figures, name, base));
  const peers = {
    'a boolean': over('boolean', 'clock read'),
    'the file read at each check': over('file read', 'clock read'),
    ...Object.fromEntries(KINDS.map((kind) => [`the ${kind} read at each check`, over(`${kind} read`, 'clock read')])),
    'clock read ns': median(figures.get('clock read') ?? []),
    'load average': loadavg()[0] ?? Number.NaN,
  };
  return [
    budgetRow('kill-switch check at the door over one monotonic clock read', 1.2, ratiosOf(figures, 'check', 'clock read'), peers),
    budgetRow('isHalted() over one read of each clock', 1.2, ratiosOf(figures, 'isHalted', 'both clocks'), {
      'over one monotonic clock read': over('isHalted', 'clock read'),
    }),
  ];
}

const loaded = (row: BudgetRow): BudgetRow => ({ ...row, peers: { ...row.peers, 'load average': loadavg()[0] ?? Number.NaN } });

async function onBus(kind: Kind, haltRounds: number | undefined): Promise<BudgetRow> {
  const place = await openPlace(kind);
  const bus = await openBus(place.url);
  const arm = async () => {
    const { state, version } = await readTradingState(bus);
    const armed = { ...NEVER_ARMED, epoch: state.epoch + 1, mode: 'ACTIVE', changedBy: 'bench' } as const;
    const set = await bus.latch(TRADING_STATE).compareAndSet(version, encodeTradingState(armed));
    if (set.outcome !== 'committed') throw new Error(`trading was not armed: ${JSON.stringify(set)}`);
  };
  const stop = async () => {
    const halted = await halt(bus, { kind: 'manual', reason: 'bench', by: 'bench' });
    if (halted.outcome !== 'committed') throw new Error(`a halt was not committed: ${JSON.stringify(halted)}`);
  };
  try {
    await arm();
    const rounds = await haltLatencies({ args: ['bus', place.url] }, { halt: stop, release: arm }, haltRounds);
    return loaded(latencyRow(`L3 kill switch on ${kind} → last of ${PROCESSES} processes refuses, p99, ms`, BUS_LIMIT_MS, rounds));
  } finally {
    await bus.close();
    await place.dispose();
  }
}

type Write = (path: string, content: string) => void;

const inPlace: Write = (path, content) => writeFileSync(path, content);
const replaced: Write = (path, content) => {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
};

function onFile(name: string, write: Write, haltRounds: number | undefined, by?: Asking['by']): Promise<BudgetRow> {
  return inNewDirectory(async (directory) => {
    const path = join(directory, 'halted');
    write(path, '0\n');
    const switching = { halt: async () => write(path, '1\n'), release: async () => write(path, '0\n') };
    const rounds = await haltLatencies({ args: ['file', path], ...(by === undefined ? {} : { by }) }, switching, haltRounds);
    return loaded(latencyRow(`L3 kill switch on a file, ${name} → last of ${PROCESSES} processes refuses, p99, ms`, FILE_LIMIT_MS, rounds));
  });
}

/** Starts what follows in a namespace in which no directory can be watched. */
const WITHOUT_WATCHES = ['unshare', '-r', 'sh', '-c', 'echo 0 > /proc/sys/user/max_inotify_watches && exec "$@"', 'sh'] as const;

async function allRows(rounds: number, haltRounds?: number): Promise<readonly BudgetRow[]> {
  const rows = [
    ...(await reads(rounds)),
    await onFile('replaced', replaced, haltRounds),
    await onFile('written in place', inPlace, haltRounds),
  ];
  const [unshare, ...rest] = WITHOUT_WATCHES;
  if (spawnSync(unshare, [...rest, 'true']).status === 0)
    rows.push(await onFile('replaced, polled alone', replaced, haltRounds, WITHOUT_WATCHES));
  else console.error('polling alone is not measured here: it needs `unshare -r`');
  for (const kind of KINDS) rows.push(await onBus(kind, haltRounds));
  return rows;
}

export const run = (): Promise<readonly BudgetRow[]> => allRows(ROUNDS);

export const runRounds = (rounds: number): Promise<readonly BudgetRow[]> => allRows(rounds, rounds);
