/** How patiently a watchdog listens: whoever beats seldom, for a strategy that trades seldom, also asks seldom whether the bus is there. */

/** What a watchdog waits for the bus, all in milliseconds. */
export interface Tempo {
  /** One read waits at most this long for news, so that each stream shows contact a few times in {@link blindAfterMs}. */
  readonly blockMs: number;
  /** Between attempts to read without contact. */
  readonly retryMs: number;
  /** Contact is proved anew about this often. */
  readonly probeEveryMs: number;
  /** Contact that was not proved for so long is lost: longer than a probe may take and the next one wait. */
  readonly contactMaxAgeMs: number;
  /** A watchdog whose own reading stands still for so long must not look alive. */
  readonly blindAfterMs: number;
  /** With nobody overdue, everybody is looked at this often all the same. */
  readonly lookEveryMs: number;
}

export const PROBE_TIMEOUT_MS = 1_000;
const LISTEN_MS = 250;
const LISTENS_PER_BLINDNESS = 4;
const RETRIES_PER_LISTEN = 5;
const MARGIN_MS = 250;
const LOOK_MS = 1_000;

/** With beats of 125 ms or less: reads of 250 ms, tried again after 50, probes every 250, contact lost after 1,500, blind and a look after 1,000. */
export function tempoOf(peerBeatMs: number): Tempo {
  const blockMs = Math.max(LISTEN_MS, 2 * peerBeatMs);
  return {
    blockMs,
    retryMs: blockMs / RETRIES_PER_LISTEN,
    probeEveryMs: blockMs,
    contactMaxAgeMs: blockMs + PROBE_TIMEOUT_MS + MARGIN_MS,
    blindAfterMs: LISTENS_PER_BLINDNESS * blockMs,
    lookEveryMs: Math.max(LOOK_MS, blockMs),
  };
}
