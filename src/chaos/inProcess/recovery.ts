/** Watches for the recovery from one injection: the injector never says that there was one. */
import { settleWithin } from '../../deadline.js';
import { messageOf } from '../../errors.js';
import type { ChaosSettings } from './config.js';
import type { OpenInjection } from './injection.js';

type RecoverySettings = Required<Pick<ChaosSettings, 'clock' | 'recoveryTimeoutMs' | 'recoveryPollMs' | 'recovered'>>;

/** Asks until the answer is yes, the time is up, or `signal` aborts. Never rejects. */
export async function watchRecovery(injection: OpenInjection, settings: RecoverySettings, signal: AbortSignal): Promise<void> {
  const { clock, recoveryTimeoutMs, recoveryPollMs, recovered } = settings;
  const struckMs = clock.monotonicMs();
  let problem = `not recovered within ${recoveryTimeoutMs} ms`;
  // The first look comes in a later turn of the loop: the fault has reached its caller by then.
  for (let pauseMs = 0; ; pauseMs = recoveryPollMs) {
    await clock.sleep(pauseMs, signal);
    const leftMs = struckMs + recoveryTimeoutMs - clock.monotonicMs();
    if (leftMs < 0 || signal.aborted) break;
    try {
      const look = await settleWithin(clock, Promise.resolve(recovered({ ...injection })), leftMs);
      if (look.settled && look.value) {
        injection.systemRecovered = true;
        injection.recoveryMs = clock.monotonicMs() - struckMs;
        return;
      }
    } catch (error) {
      problem = `not recovered within ${recoveryTimeoutMs} ms, and the look at it failed: ${messageOf(error)}`;
    }
  }
  injection.systemRecovered = false;
  injection.errorMessage = injection.errorMessage === undefined ? problem : `${injection.errorMessage}; ${problem}`;
}
