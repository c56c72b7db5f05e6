/** What watching costs and how late a death is noticed, for 10, 1,000 and 10,000 exit brains that beat once a second on the journal. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, type Cursor, FROM_START } from '../src/bus/bus.js';
import { openBus } from '../src/bus/openBus.js';
import { systemClock } from '../src/clock.js';
import { decodePanicClose, PANIC_CLOSE } from '../src/messages/panicClose.js';
import { DEFAULT_RULE_LIMITS } from '../src/watchdog/options.js';
import { type BudgetRow, budgetRow, median } from './budget.js';

const SIZES = [10, 1_000, 10_000] as const;
const ROUNDS = 3;
const WARM_UP_MS = 3_000;
const SETTLED_WITHIN_MS = 20_000;
// Ends before the first death is due: what watching costs is one figure, what judging costs shows in the lateness.
const MEASURED_MS = 1_900;
const DEATHS = 5;
const IDLE_TIMER_MS = 5;

interface Round {
  readonly cpuPercent: number;
  readonly cpuMsPerSecond: number;
  /** The latest of the deaths. */
  readonly latenessMs: number;
  /** How late a timer fired at the worst in a process with nothing else to do: what no program on this machine could have bettered. */
  readonly idleLatenessMs: number;
}

interface Cost {
  readonly cpuMs: number;
  readonly services: number;
  readonly doubt: string;
}

interface Deaths {
  readonly died: readonly (readonly [string, number])[];
}

function ask<T>(child: ChildProcess, message: object): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (answer) => resolve(answer as T));
    child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)));
    child.send(message);
  });
}

/** Reads panics as they come: how long after last beat + threshold each account's was on the bus. */
async function latenessOf(bus: Bus, died: Deaths['died']): Promise<number[]> {
  const lastBeats = new Map(died);
  const waiting = new Set(lastBeats.keys());
  const lateness: number[] = [];
  const untilMs = systemClock.monotonicMs() + DEFAULT_RULE_LIMITS.unguardedMs + 5_000;
  let cursor: Cursor = FROM_START;
  while (waiting.size > 0 && systemClock.monotonicMs() < untilMs) {
    const result = await bus.read(PANIC_CLOSE, cursor, { blockMs: 250 });
    cursor = result.cursor;
    for (const record of result.records) {
      const panic = decodePanicClose(record.fields);
      const account = panic.ok ? (panic.value.scope ?? '') : '';
      const lastBeatMs = lastBeats.get(account);
      if (lastBeatMs === undefined) throw new Error(`a panic that nobody caused: ${JSON.stringify(record.fields)}`);
      // Nobody completes these: they are sent again.
      if (!waiting.has(account)) continue;
      waiting.delete(account);
      lateness.push(record.receivedMs - lastBeatMs - DEFAULT_RULE_LIMITS.unguardedMs);
    }
  }
  // A death that nobody noticed has no figure: the row is then not within its limit.
  for (const _ of waiting) lateness.push(Number.NaN);
  return lateness;
}

/** The worst lateness of a timer in this process until `stop`. */
async function idleLateness(stop: AbortSignal): Promise<number> {
  let worstMs = 0;
  while (!stop.aborted) {
    const dueMs = systemClock.monotonicMs() + IDLE_TIMER_MS;
    await systemClock.sleep(IDLE_TIMER_MS);
    worstMs = Math.max(worstMs, systemClock.monotonicMs() - dueMs);
  }
  return worstMs;
}

/** The watchdog has seen every brain and is sure of itself. */
async function settled(watchdog: ChildProcess, size: number): Promise<Cost> {
  await systemClock.sleep(WARM_UP_MS);
  for (const untilMs = systemClock.monotonicMs() + SETTLED_WITHIN_MS; systemClock.monotonicMs() < untilMs; ) {
    const cost = await ask<Cost>(watchdog, {});
    if (cost.services === size && cost.doubt === 'none') return cost;
    await systemClock.sleep(250);
  }
  throw new Error(`the watchdog did not settle within ${SETTLED_WITHIN_MS} ms: this machine is too busy to measure anything`);
}

async function round(size: number): Promise<Round> {
  const directory = mkdtempSync(join(tmpdir(), 'failflat-bench-'));
  const url = `journal:${directory}/bus`;
  const bus = await openBus(url);
  const start = (file: string, ...args: string[]) => fork(join(import.meta.dirname, 'processes', file), [url, ...args]);
  const feeder = start('brainFeeder.js', String(size));
  const watchdog = start('watchdogProcess.js');
  try {
    const before = await settled(watchdog, size);
    const fromMs = systemClock.monotonicMs();
    const kill = Array.from({ length: Math.min(DEATHS, size) }, (_, index) => Math.floor((index * size) / DEATHS));
    const watched = new AbortController();
    const idle = idleLateness(watched.signal);
    const { died } = await ask<Deaths>(feeder, { kill });
    const panics = latenessOf(bus, died);
    await systemClock.sleep(MEASURED_MS);
    const after = await ask<Cost>(watchdog, {});
    const overMs = systemClock.monotonicMs() - fromMs;
    const lateness = await panics;
    watched.abort();
    const idleLatenessMs = await idle;
    const cpuMsPerSecond = ((after.cpuMs - before.cpuMs) / overMs) * 1_000;
    console.log(
      `${size} services: ${cpuMsPerSecond.toFixed(1)} ms of CPU a second, late by ${lateness.map((ms) => ms.toFixed(1)).join(' ')} ms` +
        ` (an idle process: by up to ${idleLatenessMs.toFixed(1)} ms; doubt: ${after.doubt})`,
    );
    return {
      cpuPercent: cpuMsPerSecond / 10,
      cpuMsPerSecond,
      latenessMs: lateness.reduce((worst, ms) => (ms <= worst ? worst : ms), -Infinity),
      idleLatenessMs,
    };
  } finally {
    for (const child of [feeder, watchdog]) child.kill('SIGKILL');
    await bus.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

export async function run(): Promise<BudgetRow[]> {
  const rounds = new Map<number, Round[]>(SIZES.map((size) => [size, []]));
  for (let index = 0; index < ROUNDS; index += 1) {
    for (const size of SIZES) rounds.get(size)?.push(await round(size));
  }
  const of = (size: number, figure: (one: Round) => number) => (rounds.get(size) ?? []).map(figure);
  const rows: BudgetRow[] = [];
  for (const size of SIZES) {
    rows.push(
      budgetRow(
        `watchdog, ${size} services, % of a core`,
        25,
        of(size, (one) => one.cpuPercent),
      ),
    );
    rows.push(
      budgetRow(
        `watchdog, ${size} services, worst lateness ms`,
        100,
        of(size, (one) => one.latenessMs),
        { 'timer of an idle process, worst ms': median(of(size, (one) => one.idleLatenessMs)) },
      ),
    );
  }
  // What it costs to be awake at all is no cost of a beat: the ten services are taken off.
  const perBeatUs = (size: number) =>
    of(size, (one) => one.cpuMsPerSecond).map((ms, index) => ((ms - (of(10, (one) => one.cpuMsPerSecond)[index] ?? 0)) * 1_000) / size);
  const few = perBeatUs(1_000);
  const many = perBeatUs(10_000);
  const growth = many.map((us, index) => us / (few[index] ?? Number.NaN));
  rows.push(budgetRow('watchdog, cost per beat at 10,000 over 1,000', 1.5, growth, { 'us per beat at 10,000': median(many) }));
  return rows;
}
