/**
 * What watching costs and how late a death is noticed, for 10, 1,000 and 10,000 exit brains that beat once a second, on each bus.
 * Told a number of minutes, it watches the memory of Redis under the same load instead.
 */
import { type Bus, type Cursor, FROM_START } from '../src/bus/bus.js';
import { openBus } from '../src/bus/openBus.js';
import { systemClock } from '../src/clock.js';
import { decodePanicClose, PANIC_CLOSE } from '../src/messages/panicClose.js';
import { DEFAULT_RULE_LIMITS } from '../src/watchdog/options.js';
import { type BudgetRow, budgetRow, median } from './budget.js';
import { type Sent, startLoad } from './parts/load.js';
import { memoryRows } from './parts/memory.js';
import { KINDS, type Kind, openPlace, serverCpuMs } from './parts/places.js';

const SIZES = [10, 1_000, 10_000] as const;
const ROUNDS = 3;
const WARM_UP_MS = 3_000;
// Ends before the first death is due: what watching costs is one figure, what judging costs shows in the lateness.
const MEASURED_MS = 1_900;
const DEATHS = 5;
const IDLE_TIMER_MS = 5;

interface Round {
  readonly cpuPercent: number;
  readonly cpuMsPerSecond: number;
  /** Of the server, where there is one. */
  readonly serverCpuPercent: number;
  /** The latest of the deaths. */
  readonly latenessMs: number;
  /** How late a timer fired at the worst in a process with nothing else to do: what no program on this machine could have bettered. */
  readonly idleLatenessMs: number;
  /** What really came onto the bus: less than was asked for where the sender was too slow. */
  readonly beatsPerSecond: number;
}

/** A round that could not be measured is a round all the same: its rows are not within their limits. */
const NO_FIGURE: Round = {
  cpuPercent: Number.NaN,
  cpuMsPerSecond: Number.NaN,
  serverCpuPercent: Number.NaN,
  latenessMs: Number.NaN,
  idleLatenessMs: Number.NaN,
  beatsPerSecond: Number.NaN,
};

/** Reads panics as they come: how long after last beat + threshold each account's was on the bus. */
async function latenessOf(bus: Bus, died: Sent['died']): Promise<number[]> {
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
      // Beats that could not be sent: what is measured then is no watchdog, and there is no figure.
      if (lastBeatMs === undefined) {
        console.log(`a panic that nobody caused: ${JSON.stringify(record.fields)}`);
        return [Number.NaN];
      }
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

async function round(kind: Kind, size: number): Promise<Round> {
  const place = await openPlace(kind);
  const bus = await openBus(place.url);
  const load = await startLoad(place.url, size);
  try {
    await systemClock.sleep(WARM_UP_MS);
    if (!(await load.settled())) {
      console.log(`${kind}, ${size} services: no figure, the watchdog did not settle: this machine is too busy`);
      return NO_FIGURE;
    }
    const [before, serverBeforeMs, sentBefore] = await Promise.all([load.watchdog.cost(), serverCpuMs(place.server), load.feeder.tell([])]);
    const fromMs = systemClock.monotonicMs();
    const kill = Array.from({ length: Math.min(DEATHS, size) }, (_, index) => Math.floor((index * size) / DEATHS));
    const watched = new AbortController();
    const idle = idleLateness(watched.signal);
    const { died } = await load.feeder.tell(kill);
    const panics = latenessOf(bus, died);
    await systemClock.sleep(MEASURED_MS);
    const [after, serverAfterMs, sentAfter] = await Promise.all([load.watchdog.cost(), serverCpuMs(place.server), load.feeder.tell([])]);
    const seconds = (systemClock.monotonicMs() - fromMs) / 1_000;
    const { doubt } = await load.watchdog.sight();
    const lateness = await panics;
    watched.abort();
    const cpuMsPerSecond = (after - before) / seconds;
    const one: Round = {
      cpuPercent: cpuMsPerSecond / 10,
      cpuMsPerSecond,
      serverCpuPercent: (serverAfterMs - serverBeforeMs) / seconds / 10,
      latenessMs: lateness.reduce((worst, ms) => (ms <= worst ? worst : ms), -Infinity),
      idleLatenessMs: await idle,
      beatsPerSecond: (sentAfter.committed - sentBefore.committed) / seconds,
    };
    tell(kind, size, one, lateness, `${sentAfter.failed} beats failed, doubt: ${doubt}`);
    return one;
  } finally {
    await load.end();
    await bus.close();
    await place.dispose();
  }
}

function tell(kind: Kind, size: number, one: Round, lateness: readonly number[], rest: string): void {
  console.log(
    `${kind}, ${size} services: ${one.cpuMsPerSecond.toFixed(1)} ms of CPU a second` +
      ` (server ${(one.serverCpuPercent * 10).toFixed(1)}) for ${one.beatsPerSecond.toFixed(0)} beats,` +
      ` late by ${lateness.map((ms) => ms.toFixed(1)).join(' ')} ms (an idle process: by up to ${one.idleLatenessMs.toFixed(1)} ms; ${rest})`,
  );
}

type RoundsOf = (size: number, figure: (one: Round) => number) => number[];

function rowsOf(kind: Kind, of: RoundsOf): BudgetRow[] {
  const rows: BudgetRow[] = [];
  for (const size of SIZES) {
    const beats = median(of(size, (one) => one.beatsPerSecond));
    const server = median(of(size, (one) => one.serverCpuPercent));
    rows.push(
      budgetRow(
        `${kind} watchdog, ${size} services, % of a core`,
        25,
        of(size, (one) => one.cpuPercent),
        { 'beats a second': beats, ...(kind === 'redis' ? { 'redis-server, % of a core': server } : {}) },
      ),
    );
    rows.push(
      budgetRow(
        `${kind} watchdog, ${size} services, worst lateness ms`,
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
  rows.push(budgetRow(`${kind} watchdog, cost per beat at 10,000 over 1,000`, 1.5, growth, { 'us per beat at 10,000': median(many) }));
  return rows;
}

export async function run(): Promise<BudgetRow[]> {
  const rounds = new Map<string, Round[]>();
  for (let index = 0; index < ROUNDS; index += 1) {
    for (const size of SIZES) {
      // One bus after the other, so that a busy minute of the machine is not the misfortune of one of them.
      for (const kind of KINDS) {
        const slot = `${kind} ${size}`;
        rounds.set(slot, [...(rounds.get(slot) ?? []), await round(kind, size)]);
      }
    }
  }
  return KINDS.flatMap((kind) => rowsOf(kind, (size, figure) => (rounds.get(`${kind} ${size}`) ?? []).map(figure)));
}

/** All sizes side by side, started one after the other: it is the memory that is looked at, not the time. */
export async function runFor(minutes: number): Promise<BudgetRow[]> {
  const watched: Promise<BudgetRow[]>[] = [];
  for (const size of SIZES) {
    const place = await openPlace('redis');
    watched.push(memoryRows(place, await startLoad(place.url, size), size, minutes));
  }
  return (await Promise.all(watched)).flat();
}
