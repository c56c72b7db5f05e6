/** Where the faults of one scenario are made: who plays, when each fault began and ended, and the word to stop them all. */
import { readdir, readFile } from 'node:fs/promises';
import { systemClock } from '../../clock.js';
import type { Conductor } from '../../drill/conductor.js';
import { type Child, RigError } from '../../rig/child.js';
import { processState } from '../capabilities/procStat.js';
import type { Dose } from '../run/facts.js';
import type { Stage } from '../run/stage.js';

const GONE_MS = 5_000;
const LOOK_MS = 10;

/** Of a process that was struck and has to come back: from when on a beat of it counts, and of which life. */
export interface Struck {
  readonly name: string;
  /** Beats of lives that were seen before do not count. */
  readonly isKilled: boolean;
  readonly afterMs: number;
}

export class Scene {
  readonly stage: Stage;
  readonly isPanicDue: boolean;
  /** Durations of the data are divided by it. */
  readonly scale: number;
  readonly struck: Struck[] = [];
  /** Faults that are under way have to end. */
  isStopped = false;
  /** Every fault has ended. */
  isOver = false;
  firstMs: number | undefined;
  lastMs = 0;
  readonly #processes = new Map<string, Child>();
  readonly #pids = new Map<string, number>();

  constructor(stage: Stage, isPanicDue: boolean) {
    this.stage = stage;
    this.isPanicDue = isPanicDue;
    this.scale = stage.conductor.drill.scale;
  }

  get conductor(): Conductor {
    return this.stage.conductor;
  }

  plays(name: string, child: Child): void {
    this.#processes.set(name, child);
    this.#pids.set(name, child.pid);
  }

  /** Learns which process of the supervisor's plays which part, from what the system says of each. */
  async learn({ pid: parent }: Child, names: readonly string[]): Promise<void> {
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const [stat, words] = await Promise.all([readText(`/proc/${name}/stat`), readText(`/proc/${name}/cmdline`)]);
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== parent) continue;
      const part = names.find((candidate) => words.includes(roleOf(candidate)));
      if (part === undefined) continue;
      this.#pids.set(part, Number(name));
      this.conductor.cast.adopt(Number(name));
    }
  }

  pidOf(name: string): number {
    const pid = name === 'venue' ? this.conductor.cast.venueProcess.pid : this.#pids.get(name);
    if (pid === undefined) throw new RigError(`${name} is not to be found among the processes of the run`);
    return pid;
  }

  /** Sends a signal to one process of the run; answers right before when. */
  strike(name: string, signal: NodeJS.Signals): number {
    const child = name === 'venue' ? this.conductor.cast.venueProcess : this.#processes.get(name);
    if (child !== undefined) return this.conductor.strike(child, signal);
    const nowMs = systemClock.monotonicMs();
    process.kill(this.pidOf(name), signal);
    this.conductor.say(`${signal} to ${name} (process ${this.pidOf(name)}), which is supervised`);
    return nowMs;
  }

  /** Waits until the system says so of this process. */
  async untilState(name: string, isSo: (state: string | undefined) => boolean): Promise<void> {
    const pid = this.pidOf(name);
    const untilMs = systemClock.monotonicMs() + GONE_MS;
    while (!isSo(await processState(pid))) {
      if (systemClock.monotonicMs() > untilMs) throw new RigError(`${name} was not seen to change within ${GONE_MS} ms`);
      await systemClock.sleep(1);
    }
  }

  /** Whoever dies here is missed: the promise counts from the first such moment. */
  diedAt(atMs: number): void {
    if (this.isPanicDue) this.conductor.marks.faultMs ??= atMs;
  }

  began(atMs: number = systemClock.monotonicMs()): number {
    this.firstMs = Math.min(this.firstMs ?? Infinity, atMs);
    this.stage.onsetMs = this.firstMs;
    return atMs;
  }

  ended(atMs: number = systemClock.monotonicMs()): number {
    this.lastMs = Math.max(this.lastMs, atMs);
    return atMs;
  }

  /** For so long, divided by the scale; less where the faults have to end. Answers how long it was. */
  async hold(forMs: number): Promise<number> {
    const fromMs = systemClock.monotonicMs();
    const untilMs = fromMs + forMs / this.scale;
    while (systemClock.monotonicMs() < untilMs && !this.isStopped)
      await this.conductor.sleep(Math.min(LOOK_MS, Math.max(0, untilMs - systemClock.monotonicMs())));
    return systemClock.monotonicMs() - fromMs;
  }

  /** How much of it there must be. Where the faults were stopped early, what was cut short for it is no want of a dose. */
  dose(dose: Dose): void {
    this.stage.doses.push(this.isStopped ? { ...dose, target: Math.min(dose.target, dose.measured) } : dose);
  }

  judged(id: string, name: string, found: { readonly passed: boolean; readonly evidence: string; readonly missing?: boolean }): void {
    const { passed, evidence, missing = false } = found;
    this.stage.checks.push({ id, name, passed, evidence, missing, figures: [] });
  }
}

const roleOf = (name: string): string => name.replace(/-\d+$/, '');

/** Not there is an answer: the process has ended meanwhile. */
async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
