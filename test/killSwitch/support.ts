/** Sources whose answers the test gives, and a switch over them on a clock that the test moves. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExecutionHaltedError } from '../../src/killSwitch/errors.js';
import { createKillSwitch, type KillSwitch } from '../../src/killSwitch/killSwitch.js';
import type { KillSwitchOptions } from '../../src/killSwitch/options.js';
import type { KillSwitchScope, KillSwitchSource, Opinion, SourceContext } from '../../src/killSwitch/source.js';
import type { Logger } from '../../src/logger.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { type OpenCall, openCall } from '../shutdownGate/support.js';

export const OFF = (from: string): Opinion => ({ says: 'off', from });
export const HALTED = (from: string): Opinion => ({ says: 'halted', from, reason: 'says "1"' });
export const DOUBT = (from: string): Opinion => ({ says: 'doubt', from, reason: 'is empty' });
export const NOTHING = (from: string): Opinion => ({ says: 'nothing', from, reason: 'is not set' });

/** One read as its source saw it. */
export interface ReadRecord {
  readonly beganMs: number;
  readonly beganWallMs: number;
  readonly signal: AbortSignal;
  /** What was answered while somebody still waited. */
  answer: Opinion | undefined;
}

/** A source that answers at once with `opinion`, unless `hold` is set: then each read waits for the test. */
export class ScriptedSource implements KillSwitchSource {
  readonly name: string;
  readonly scope: KillSwitchScope;
  canChange = true;
  waits = false;
  maxUnanswered = 2;
  tellsExits = false;
  opinion: Opinion;
  hold = false;
  throws: unknown;
  closed = 0;
  context: SourceContext | undefined;
  readonly records: ReadRecord[] = [];
  readonly #calls: { readonly call: OpenCall<Opinion>; readonly record: ReadRecord }[] = [];

  constructor(name: string, opinion: Opinion = OFF(name), scope: KillSwitchScope = {}) {
    this.name = name;
    this.opinion = opinion;
    this.scope = scope;
  }

  get reads(): number {
    return this.records.length;
  }

  /** How many reads were held. */
  get held(): number {
    return this.#calls.length;
  }

  answer(index: number, opinion: Opinion): void {
    const held = this.#held(index);
    if (held.record.answer === undefined && !held.record.signal.aborted) held.record.answer = opinion;
    held.call.resolve(opinion);
  }

  fail(index: number, error: unknown): void {
    this.#held(index).call.reject(error);
  }

  answerAll(opinion: Opinion): void {
    for (const index of this.#calls.keys()) this.answer(index, opinion);
  }

  isGivenUp(index: number): boolean {
    return this.#held(index).record.signal.aborted;
  }

  open(context: SourceContext) {
    this.context = context;
    return {
      read: (signal: AbortSignal) => this.#read(context, signal),
      close: () => {
        this.closed += 1;
      },
    };
  }

  #held(index: number) {
    const held = this.#calls[index];
    if (held === undefined) throw new Error(`no read ${index} was held`);
    return held;
  }

  #read({ clock }: SourceContext, signal: AbortSignal): Opinion | Promise<Opinion> {
    const record: ReadRecord = { beganMs: clock.monotonicMs(), beganWallMs: clock.wallMs(), signal, answer: undefined };
    this.records.push(record);
    if (this.throws !== undefined) throw this.throws;
    if (this.hold) {
      const call = openCall<Opinion>();
      this.#calls.push({ call, record });
      return call.promise;
    }
    record.answer = this.opinion;
    return this.opinion;
  }
}

export interface Stage {
  readonly clock: ManualClock;
  readonly killSwitch: KillSwitch;
  readonly logged: { readonly level: string; readonly details: object; readonly message: string }[];
}

export function recordingLogger(logged: { level: string; details: object; message: string }[]): Logger {
  const write = (level: string) => (details: object, message: string) => void logged.push({ level, details, message });
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

export async function staged(sources: readonly KillSwitchSource[], options: Partial<KillSwitchOptions> = {}): Promise<Stage> {
  const clock = new ManualClock();
  const logged: { level: string; details: object; message: string }[] = [];
  const killSwitch = createKillSwitch({ sources, clock, logger: recordingLogger(logged), ...options });
  await clock.advance(0);
  return { clock, killSwitch, logged };
}

/** What a switch answers on every way that it can be asked. */
export function answers({ clock, killSwitch }: Stage): unknown {
  let required = 'off';
  try {
    killSwitch.requireOff('test');
  } catch (error) {
    required = error instanceof ExecutionHaltedError ? 'halted' : 'something else';
  }
  const refused = killSwitch.check(clock.monotonicMs(), 'increase');
  const told = new Set([refused === undefined ? 'off' : 'halted', required, killSwitch.isHalted() ? 'halted' : 'off']);
  told.add(killSwitch.state().halted ? 'halted' : 'off');
  return told.size === 1 ? [...told][0] : [...told];
}

/** A volume as the kubelet keeps it: the files stand in a directory of their own, and one link is swapped for all of them at once. */
export class ConfigMapVolume {
  readonly directory: string;
  #generation = 0;

  constructor(directory: string, data: Readonly<Record<string, string>>) {
    this.directory = directory;
    this.write(data);
    for (const key of Object.keys(data)) symlinkSync(join('..data', key), join(directory, key));
  }

  path(key: string): string {
    return join(this.directory, key);
  }

  write(data: Readonly<Record<string, string>>): void {
    const before = `..generation_${this.#generation}`;
    this.#generation += 1;
    const now = `..generation_${this.#generation}`;
    mkdirSync(join(this.directory, now));
    for (const [key, value] of Object.entries(data)) writeFileSync(join(this.directory, now, key), value);
    symlinkSync(now, join(this.directory, '..data_tmp'));
    renameSync(join(this.directory, '..data_tmp'), join(this.directory, '..data'));
    rmSync(join(this.directory, before), { recursive: true, force: true });
  }
}
