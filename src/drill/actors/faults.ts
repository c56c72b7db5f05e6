/** Faults that happen inside a process: a clock that steps, a bus that loses one record, a loop that hangs. */
import { existsSync } from 'node:fs';
import type { AppendOutcome, Bus } from '../../bus/bus.js';
import { type Clock, MAX_TIMER_MS, systemClock } from '../../clock.js';
import { assembleExitBrain, type ExitBrain } from '../../exitBrain/exitBrain.js';
import type { ExitBrainOptions } from '../../exitBrain/options.js';
import type { Fields } from '../../messages/fields.js';
import { EXIT_BRAIN_HEARTBEAT } from '../../messages/heartbeat.js';
import { PANIC_CLOSE } from '../../messages/panicClose.js';
import { EXIT_WORKER_HEARTBEAT, WATCHDOG_HEARTBEAT } from '../../messages/peerBeat.js';
import type { Decide } from '../../roles/decideModule.js';

const WALL_STEP_MS = 3_600_000;
const BACK_AFTER_MS = 300;

/** From the moment the trigger appears the wall clock is an hour ahead, and soon after an hour behind. Durations do not notice. */
export function steppedClock(triggerFile: string, base: Clock = systemClock): Clock {
  let stepMs = 0;
  const look = () => {
    if (!existsSync(triggerFile)) {
      base.setTimer(10, look, { keepAlive: false });
      return;
    }
    stepMs = WALL_STEP_MS;
    base.setTimer(BACK_AFTER_MS, () => (stepMs = -WALL_STEP_MS), { keepAlive: false });
  };
  look();
  return { ...base, wallMs: () => base.wallMs() + stepMs };
}

/** The first panic that this process sends does not reach the bus, and nobody can say so for sure. */
export function losesFirstPanic(bus: Bus): Bus {
  let lost = false;
  const append: Bus['append'] = async (stream, fields, options): Promise<AppendOutcome> => {
    if (stream !== PANIC_CLOSE || lost) return bus.append(stream, fields, options);
    lost = true;
    return { outcome: 'unknown', detail: 'the connection broke' };
  };
  return withAppend(bus, append);
}

const BEATS = [EXIT_BRAIN_HEARTBEAT, WATCHDOG_HEARTBEAT, EXIT_WORKER_HEARTBEAT];

/** While the trigger is there, no heartbeat of this process is taken: its right to beat is gone. */
export function losesBeats(bus: Bus, triggerFile: string): Bus {
  return withAppend(bus, async (stream, fields, options) =>
    BEATS.includes(stream) && existsSync(triggerFile)
      ? { outcome: 'refused', reason: 'read_only', detail: 'the right to beat was taken away' }
      : bus.append(stream, fields, options),
  );
}

const FLIPPED_BIT = 0x40;

/** While the trigger is there, one bit of every character of every heartbeat is flipped on its way out of this process's memory. */
export function corruptsBeats(bus: Bus, triggerFile: string): Bus {
  return withAppend(bus, async (stream, fields, options) =>
    stream === EXIT_BRAIN_HEARTBEAT && existsSync(triggerFile)
      ? bus.append(stream, flipped(fields), options)
      : bus.append(stream, fields, options),
  );
}

function flipped(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      Array.from(value, (character) => String.fromCharCode(character.charCodeAt(0) ^ FLIPPED_BIT)).join(''),
    ]),
  );
}

/** Once the trigger appears, an evaluation takes memory until there is none: V8 ends the process, and none of its handlers runs. */
export function fillingDecide(triggerFile: string): Decide {
  return () => {
    const held: unknown[] = [];
    while (existsSync(triggerFile)) held.push(Array.from({ length: 100_000 }, () => ({})));
  };
}

/** How long the loop of a process stands still at a time, and how often. */
export const BLOCK_MS = 150;
const BLOCK_EVERY_MS = 500;

/** While the trigger is there, the loop of this process stands still over and over: nothing else of it runs meanwhile. */
export function blocksLoop(triggerFile: string, clock: Clock = systemClock): void {
  const block = (): void => {
    if (existsSync(triggerFile)) {
      const untilMs = clock.monotonicMs() + BLOCK_MS;
      while (clock.monotonicMs() < untilMs);
    }
    clock.setTimer(BLOCK_EVERY_MS, block, { keepAlive: false });
  };
  block();
}

function withAppend(bus: Bus, append: Bus['append']): Bus {
  return {
    url: bus.url,
    append,
    read: (...args) => bus.read(...args),
    end: (stream) => bus.end(stream),
    latest: (stream, key) => bus.latest(stream, key),
    group: (stream, name) => bus.group(stream, name),
    latch: (key) => bus.latch(key),
    probe: () => bus.probe(),
    close: () => bus.close(),
    [Symbol.asyncDispose]: () => bus.close(),
  };
}

/** Once the trigger appears, an evaluation that has begun never ends. */
export function hangingDecide(triggerFile: string): Decide {
  return () => (existsSync(triggerFile) ? hang() : undefined);
}

/** The process must not end for want of anything to do: a loop that hangs usually hangs on something. */
function hang(): Promise<never> {
  return new Promise(() => systemClock.setTimer(MAX_TIMER_MS, () => {}));
}

/** Counts its decisions honestly, and never doubts itself for want of them: a brain of another make. */
export function createUncriticalBrain(options: ExitBrainOptions): ExitBrain {
  return assembleExitBrain(options, { progress: ({ decisions }) => ({ decisionSequence: decisions, status: 'OK' }) });
}

/** Once the trigger appears, every evaluation fails. */
export function failingDecide(triggerFile: string): Decide {
  return () => {
    if (existsSync(triggerFile)) throw new Error('the model has no answer');
  };
}
