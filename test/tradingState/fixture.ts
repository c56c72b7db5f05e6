/** Beating peers and brains on a manual clock, and a re-arm driven through its stages. */
import { EXIT_BRAIN_HEARTBEAT, encodeBrainBeat } from '../../src/messages/heartbeat.js';
import { encodePanicClose, PANIC_CLOSE } from '../../src/messages/panicClose.js';
import type { TradingState } from '../../src/messages/tradingState.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { type RearmDeps, type RearmOutcome, RearmRefusedError, rearm } from '../../src/tradingState/rearm.js';
import type { RearmRequest } from '../../src/tradingState/rearmPlan.js';
import { World } from '../tradingLease/fixture.js';

export class RearmWorld extends World {
  readonly brain = { alive: true, deciding: true, status: 'OK' as 'OK' | 'DEGRADED' };
  #beats = 0;
  #decisions = 0;

  startAll(): void {
    this.startPeers();
    const next = (): void => {
      if (this.brain.alive) void this.beatOfBrain();
      this.clock.setTimer(1_000, next);
    };
    next();
  }

  async beatOfBrain(): Promise<void> {
    this.#beats += 1;
    if (this.brain.deciding) this.#decisions += 1;
    const beat = encodeBrainBeat({
      serviceId: 'brain',
      account: 'default',
      generation: 'g1',
      sequence: this.#beats,
      decisionSequence: this.#decisions,
      status: this.brain.status,
      activePositions: 0,
      lastDecisionWallMs: 1,
      latencyMs: 1,
      wallMs: 1,
    });
    await this.bus.append(EXIT_BRAIN_HEARTBEAT, beat, { key: 'brain' });
  }

  async panic(epoch: number, scope: string | undefined = 'default', eventId = `p${epoch}`): Promise<void> {
    const base = { eventId, reason: 'TEST', issuedBy: 'ops', by: 'op', wallMs: 1, epoch, resend: 0 } as const;
    await this.bus.append(PANIC_CLOSE, encodePanicClose(scope === undefined ? base : { ...base, scope }));
  }

  async state(): Promise<TradingState> {
    return (await readTradingState(this.bus)).state;
  }

  /** Runs a re-arm to its end, calling `midway` while it dwells. */
  async rearm(
    request: Partial<RearmRequest> = {},
    deps: RearmDeps = {},
    midway: () => unknown = () => {},
  ): Promise<RearmOutcome | RearmRefusedError> {
    const asked = { by: 'op', reason: 'checked', clears: [], ...request };
    const running = rearm(this.bus, asked, { clock: this.clock, random: this.random.fork('rearm'), ...deps }).catch((error: unknown) => {
      if (error instanceof RearmRefusedError) return error;
      throw error;
    });
    await this.clock.advance(3_500);
    await midway();
    await this.clock.advance(12_000);
    return running;
  }
}

/** The reasons of a refused re-arm, as one text. */
export function reasonsOf(outcome: RearmOutcome | RearmRefusedError): string {
  return outcome instanceof RearmRefusedError ? outcome.reasons.join('\n') : 'it was armed';
}
