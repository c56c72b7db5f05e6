/** Watches how far the faults of a scene reach, and stops them where that is further than they may. */
import { systemClock } from '../../clock.js';
import { acceptedAtMs } from '../run/orderFlow.js';
import { type BlastLimit, type BlastSpan, blastRadius, isBeyond, shownBlast } from './blastRadius.js';
import type { Scene } from './scene.js';

const LOOK_MS = 50;

export class Containment {
  readonly #scene: Scene;
  readonly #limit: BlastLimit;
  readonly #strategies: readonly string[];
  /** What was seen when the faults were stopped for it. */
  #stoppedAt: string | undefined;

  constructor(scene: Scene, limit: BlastLimit, strategies: readonly string[]) {
    this.#scene = scene;
    this.#limit = limit;
    this.#strategies = strategies;
  }

  /** Until every fault has ended. */
  async watch(): Promise<void> {
    const scene = this.#scene;
    while (!scene.isOver && !scene.isStopped) {
      await scene.conductor.sleep(LOOK_MS);
      const blast = this.#look({});
      if (blast === undefined || !isBeyond(blast, this.#limit, { atOnce: true })) continue;
      const lastedMs = systemClock.monotonicMs() - (scene.firstMs ?? 0);
      this.#stoppedAt = `the faults were stopped after ${Math.round(lastedMs)} ms, at ${shownBlast(blast, this.#limit)}`;
      scene.isStopped = true;
      scene.conductor.say(`too far: ${this.#stoppedAt}`);
    }
  }

  /** Of everything until now, with orders that the venue never took. */
  judge(): void {
    const events = this.#scene.conductor.events();
    // The last orders may still be on their way to it.
    const blast = this.#look({ untilMs: systemClock.monotonicMs() - 1_000, taken: new Set(acceptedAtMs(events).keys()) });
    const name = 'the faults reach no further than they may';
    if (blast === undefined)
      return this.#scene.judged('blast', name, { passed: false, missing: true, evidence: 'no evidence: no fault began' });
    const passed = this.#stoppedAt === undefined && !isBeyond(blast, this.#limit, { atOnce: false });
    this.#scene.judged('blast', name, { passed, evidence: this.#stoppedAt ?? shownBlast(blast, this.#limit) });
  }

  #look({ untilMs = Infinity, taken }: Partial<Pick<BlastSpan, 'untilMs' | 'taken'>>) {
    const { firstMs, conductor } = this.#scene;
    if (firstMs === undefined) return undefined;
    const attempts = conductor.attempts().map(({ value }) => value);
    return blastRadius(attempts, { fromMs: firstMs, untilMs, strategies: this.#strategies, ...(taken === undefined ? {} : { taken }) });
  }
}
