/** Where a scenario is played: the drill's processes, a monitor that began before the fault, and the moments that were seen. */
import { systemClock } from '../../clock.js';
import type { Conductor } from '../../drill/conductor.js';
import type { Check } from '../../drill/judge/evidence.js';
import type { Child } from '../../rig/child.js';
import { RigError } from '../../rig/child.js';
import { processState, startTicksOf } from '../capabilities/procStat.js';
import type { UndoJournal } from '../undo/journal.js';
import type { Detection, Dose } from './facts.js';
import { Monitor } from './monitor.js';

/** Samples before the fault: what it was like without one. */
export const BEFORE_MS = 2_000;
const STATE_MS = 5_000;
/** Longer than the objective, so that a slow recovery is told from none. */
export const RECOVERY_WAIT_MS = 45_000;

export interface Actors {
  readonly brain: Child;
  readonly watchdog: Child;
  readonly worker: Child;
  readonly strategy: Child;
}

export class Stage {
  readonly conductor: Conductor;
  readonly undo: UndoJournal;
  readonly monitor: Monitor;
  readonly doses: Dose[] = [];
  /** When the fault was seen to be there, and to be over. */
  onsetMs: number | undefined;
  endedMs: number | undefined;
  recoveredMs: number | undefined;
  detection: Detection | undefined;
  /** What the run itself has judged, of what no observer takes down. */
  readonly checks: Check[] = [];
  /** Operations of clients, as they were recorded. */
  history: readonly object[] | undefined;

  constructor(conductor: Conductor, undo: UndoJournal) {
    this.conductor = conductor;
    this.undo = undo;
    this.monitor = new Monitor(() => conductor.cast.processes());
  }

  /** Everyone at work, orders flowing, and samples of how it is without a fault. */
  async trade(): Promise<Actors> {
    const { cast } = this.conductor;
    const [brain, watchdog, worker, strategy] = await Promise.all([cast.brain(), cast.watchdog(), cast.worker(), cast.strategy()]);
    await this.conductor.armAndTrade();
    await this.conductor.sleep(BEFORE_MS);
    return { brain, watchdog, worker, strategy };
  }

  /** Resolves when the process was seen in this state (undefined: gone); answers when that was. */
  async untilProcess(child: Child, isSo: (state: string | undefined) => boolean): Promise<number> {
    const untilMs = systemClock.monotonicMs() + STATE_MS;
    for (;;) {
      if (isSo(await processState(child.pid))) return systemClock.monotonicMs();
      if (systemClock.monotonicMs() > untilMs) throw new RigError(`${child.name} was not seen to change within ${STATE_MS} ms`);
      await systemClock.sleep(1);
    }
  }

  /** To be called before a process that is not the run's own is stopped: whatever becomes of the run, it goes on again. */
  async beforeStopping(pid: number): Promise<Disposable> {
    const startTicks = await startTicksOf(pid);
    if (startTicks === undefined) throw new RigError(`process ${pid} cannot be told from others here, so it must not be stopped`);
    const number = this.undo.plan({ kind: 'continue-process', pid, startTicks });
    return { [Symbol.dispose]: () => this.undo.done(number) };
  }

  /** The fault is over: the recovery clock starts. Waits until the promised state is seen. */
  async untilRecovered(seen: () => boolean): Promise<void> {
    const fromMs = this.endedMs ?? systemClock.monotonicMs();
    this.endedMs = fromMs;
    if (await this.conductor.waitFor(RECOVERY_WAIT_MS, seen)) this.recoveredMs = systemClock.monotonicMs() - fromMs;
  }

  close(): Promise<void> {
    return this.monitor.close();
  }
}
