/** An exit worker does not begin with a broker that may still be at a call when the exit has given up on it. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { ConfigurationError } from '../../src/errors.js';
import { silentLogger } from '../../src/logger.js';
import { systemRandom } from '../../src/random.js';
import { type ExitWorkerRoleConfig, runExitWorkerRole } from '../../src/roles/exitWorkerRole.js';

async function run(config: Partial<ExitWorkerRoleConfig>): Promise<unknown> {
  const stopping = new AbortController();
  stopping.abort();
  const whole = { bus: `memory:${systemRandom.id()}`, broker: 'paper:http://127.0.0.1:9', ...config };
  return runExitWorkerRole(whole, { signal: stopping.signal, clock: systemClock, logger: silentLogger }).catch((error: unknown) => error);
}

describe('exit worker role', () => {
  it.each([
    [{ brokerTimeoutMs: 5_001 }, '5000 ms'],
    [{ brokerTimeoutMs: 501, scale: 10 }, '500 ms'],
    [{ timings: { brokerTimeoutMs: 1_999 } }, '1999 ms'],
  ])('S4: refuses %j, by name, value and bound', async (config, bound) => {
    const refused = await run(config);
    if (!(refused instanceof ConfigurationError)) throw new Error('accepted');
    expect(refused.field).toBe('brokerTimeoutMs');
    expect(refused.bound).toContain(`at most ${bound}`);
  });

  it.each([{}, { brokerTimeoutMs: 5_000 }, { scale: 25 }, { brokerTimeoutMs: 8_000, timings: { brokerTimeoutMs: 8_000 } }])(
    'accepts %j',
    async (config) => {
      expect(await run(config)).toBeUndefined();
    },
  );
});
