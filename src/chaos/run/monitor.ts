/** Looks at the processes of a run every half second, from before the fault until after the recovery. It only reads. */
import { type Clock, systemClock } from '../../clock.js';
import { busyShare, cpuTicksOf, type MachineTicks, machineTicks, processState, residentBytesOf } from '../capabilities/procStat.js';

export const SAMPLE_MS = 500;
/** The kernel counts processor time in hundredths of a second. */
const TICKS_PER_S = 100;

export interface WatchedProcess {
  readonly name: string;
  readonly pid: number;
}

export interface ProcessSample {
  readonly name: string;
  readonly pid: number;
  /** One letter as `ps` has it; undefined: it has ended. */
  readonly state: string | undefined;
  /** Of one processor, since the sample before; undefined in the first one. */
  readonly cpuShare: number | undefined;
  readonly residentBytes: number | undefined;
}

export interface Sample {
  readonly atMs: number;
  /** How late this process's own timer was: the event-loop delay of the observer. */
  readonly loopDelayMs: number;
  /** Of all processors of the machine, since the sample before. */
  readonly machineShare: number | undefined;
  readonly processes: readonly ProcessSample[];
}

export class Monitor {
  readonly samples: Sample[] = [];
  readonly #processes: () => readonly WatchedProcess[];
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #ticks = new Map<number, { readonly ticks: number; readonly atMs: number }>();
  #machine: MachineTicks | undefined;
  readonly #task: Promise<void>;

  constructor(processes: () => readonly WatchedProcess[], clock: Clock = systemClock) {
    this.#processes = processes;
    this.#clock = clock;
    this.#task = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#task;
  }

  async #run(): Promise<void> {
    for (let dueMs = this.#clock.monotonicMs(); !this.#stop.signal.aborted; ) {
      this.samples.push(await this.#sample(Math.max(0, this.#clock.monotonicMs() - dueMs)));
      dueMs = Math.max(dueMs + SAMPLE_MS, this.#clock.monotonicMs());
      await this.#clock.sleep(Math.max(0, dueMs - this.#clock.monotonicMs()), this.#stop.signal);
    }
  }

  async #sample(loopDelayMs: number): Promise<Sample> {
    const atMs = this.#clock.monotonicMs();
    const before = this.#machine;
    const now = await machineTicks();
    this.#machine = now;
    return {
      atMs,
      loopDelayMs,
      machineShare: before === undefined || now === undefined ? undefined : busyShare(before, now),
      processes: await Promise.all(this.#processes().map((watched) => this.#look(watched))),
    };
  }

  async #look({ name, pid }: WatchedProcess): Promise<ProcessSample> {
    const [state, ticks, residentBytes] = await Promise.all([processState(pid), cpuTicksOf(pid), residentBytesOf(pid)]);
    const atMs = this.#clock.monotonicMs();
    const before = this.#ticks.get(pid);
    if (ticks !== undefined) this.#ticks.set(pid, { ticks, atMs });
    const cpuShare =
      before === undefined || ticks === undefined || atMs <= before.atMs
        ? undefined
        : (ticks - before.ticks) / TICKS_PER_S / ((atMs - before.atMs) / 1_000);
    return { name, pid, state, cpuShare, residentBytes };
  }
}
