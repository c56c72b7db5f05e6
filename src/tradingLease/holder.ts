/** What a holder says on the bus about itself: registered and read back before anything else. */
import { isCommitted } from '../bus/bus.js';
import { messageOf } from '../errors.js';
import { decodeHolderReport, encodeHolderReport, type HolderEvent, type HolderReport, LEASE_HOLDER } from '../messages/holder.js';
import type { LeaseConfig } from './options.js';

/** What is under way at the order door right now. */
export interface UnderWay {
  readonly inflight: number;
  readonly unknownOutcomes: number;
}

export interface SeenState {
  readonly epoch: number;
  readonly version: number;
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Undefined where nobody can say: no view was given, or it fails. That is never "nothing is under way". */
export function underWay({ inflight: view }: Pick<LeaseConfig, 'inflight'>): UnderWay | undefined {
  try {
    if (view === undefined) return undefined;
    const counted = { inflight: view.inflight(), unknownOutcomes: view.unknownOutcomes() };
    return isCount(counted.inflight) && isCount(counted.unknownOutcomes) ? counted : undefined;
  } catch {
    // A view that throws says nothing.
    return undefined;
  }
}

export class Holder {
  readonly #config: LeaseConfig;
  /** Reports go out one after the other: the last one on the bus is the last one said. */
  #line: Promise<unknown> = Promise.resolve();

  constructor(config: LeaseConfig) {
    this.#config = config;
  }

  /** True when the report surely is on the bus. Never throws. */
  report(event: HolderEvent, seen: SeenState, counted: UnderWay = { inflight: 0, unknownOutcomes: 0 }): Promise<boolean> {
    const sent = this.#line.then(() => this.#append(event, seen, counted));
    this.#line = sent;
    return sent;
  }

  /** Registers, and reads back that it did: a holder that nobody can see must not trade. */
  async register(seen: SeenState): Promise<boolean> {
    if (!(await this.report('registered', seen, underWay(this.#config)))) return false;
    try {
      const { bus, holderId, account, self } = this.#config;
      const newest = await bus.latest(LEASE_HOLDER, holderId);
      const decoded = newest === undefined ? undefined : decodeHolderReport(newest.fields);
      if (decoded?.ok !== true) return false;
      const { value } = decoded;
      return value.holderId === holderId && value.account === account && value.pid === self.pid && value.bootId === self.bootId;
    } catch (error) {
      this.#config.logger.warn({ error: messageOf(error) }, 'the registration of this holder could not be read back');
      return false;
    }
  }

  async #append(event: HolderEvent, seen: SeenState, counted: UnderWay): Promise<boolean> {
    const { bus, clock, holderId, account, brokerTimeoutMs, ttlMs, logger } = this.#config;
    try {
      const { host, bootId, pid } = this.#config.self;
      const identity = { holderId, account, host, bootId, pid };
      const report: HolderReport = {
        ...identity,
        event,
        epoch: seen.epoch,
        brokerTimeoutMs,
        leaseTtlMs: ttlMs,
        ...counted,
        stateVersion: seen.version,
        wallMs: clock.wallMs(),
      };
      const result = await bus.append(LEASE_HOLDER, encodeHolderReport(report), { key: holderId });
      if (isCommitted(result)) return true;
      logger.warn({ event, result }, 'a report of this holder is not committed');
    } catch (error) {
      logger.warn({ event, error: messageOf(error) }, 'a report of this holder is not committed');
    }
    return false;
  }
}
