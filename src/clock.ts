/** Time as the rest of failflat sees it. Nothing else in `src` reads a clock or sets a timer. */

/** A pending timer. Cancelling one that has fired, or cancelling twice, does nothing. */
export interface Timer {
  cancel(): void;
}

export interface TimerOptions {
  /** Keep the process alive until the timer fires. Default: true. */
  readonly keepAlive?: boolean;
}

/**
 * The time port. Durations and ages are measured on `monotonicMs`; `wallMs` is for people and for wire fields only.
 * A simulated clock implements the same four functions.
 */
export interface Clock {
  /** Milliseconds, fractional, on a clock that never steps. On one host, all processes share its origin (until a reboot). */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch. May step in either direction. */
  wallMs(): number;
  /** Calls `fire` once after `delayMs`. Throws a RangeError outside 0 … {@link MAX_TIMER_MS}, where Node would fire at once. */
  setTimer(delayMs: number, fire: () => void, options?: TimerOptions): Timer;
  /** Resolves after `delayMs`, or early (never rejects) when `signal` aborts: check the signal afterwards. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** The longest delay a Node timer can hold: 2^31 - 1 ms. Beyond it Node fires after 1 ms. */
export const MAX_TIMER_MS = 2_147_483_647;

function hrtimeMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
}

// `performance.now()` is the cheaper read but starts at zero in each process. Both stand on the same system clock, so a
// fixed offset makes readings of all processes on this host comparable. A process that is interrupted between the two reads
// finds too small an offset (by 22 ms on a busy machine), so the largest of several is taken.
const OFFSET_SAMPLES = 16;
// Taken once: the global is a getter, which costs a sixth of each reading.
const sinceStart = performance;
const hostOffsetMs = Math.max(...Array.from({ length: OFFSET_SAMPLES }, () => hrtimeMs() - sinceStart.now()));

function setTimer(delayMs: number, fire: () => void, options?: TimerOptions): Timer {
  if (!(delayMs >= 0 && delayMs <= MAX_TIMER_MS)) {
    throw new RangeError(`delayMs = ${delayMs}: must be between 0 and ${MAX_TIMER_MS}`);
  }
  const handle = setTimeout(fire, delayMs);
  if (options?.keepAlive === false) handle.unref();
  return { cancel: () => clearTimeout(handle) };
}

/** The wall clock for a record that people read: 0, which is visibly no time, where it fails or is no number since 1970. */
export function recordedWallMs(clock: Pick<Clock, 'wallMs'>): number {
  try {
    const wallMs = clock.wallMs();
    return Number.isFinite(wallMs) ? Math.max(0, wallMs) : 0;
  } catch {
    return 0;
  }
}

/** The same timers, none of which keeps the process alive. */
export function quietTimers(clock: Pick<Clock, 'setTimer'>): Pick<Clock, 'setTimer'> {
  return { setTimer: (delayMs, fire) => clock.setTimer(delayMs, fire, { keepAlive: false }) };
}

/** `sleep` for any clock that can set a timer. */
export function sleepWith(clock: Pick<Clock, 'setTimer'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const wake = () => {
      timer.cancel();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = clock.setTimer(delayMs, wake);
    signal?.addEventListener('abort', wake, { once: true });
  });
}

/** Wall and monotonic time may drift apart by so much between two readings before that is taken for a suspended host. */
export const WALL_DIVERGENCE_MS = 250;

/** Both clocks, when something was sent. */
export interface SentReadings {
  readonly sentMs: number;
  readonly wallMs: number;
}

/** True when wall and monotonic time have drifted apart by more than `maxMs`: a suspended host, or a step of the wall clock. NaN counts as drift. */
export function clocksDiverged(since: SentReadings, now: { readonly nowMs: number; readonly wallMs: number }, maxMs: number): boolean {
  return !(Math.abs(now.wallMs - since.wallMs - (now.nowMs - since.sentMs)) <= maxMs);
}

/** The host's own clocks. */
export const systemClock: Clock = {
  monotonicMs: () => hostOffsetMs + sinceStart.now(),
  wallMs: () => Date.now(),
  setTimer,
  sleep: (delayMs, signal) => sleepWith({ setTimer }, delayMs, signal),
};
