/** Looks at this host, one probe after another: two at once would measure each other. */
import type { Clock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import type { Capability } from './capability.js';
import { PROBES, type Probe } from './probes.js';

/** A probe that throws has failed: what nobody has seen to work does not work. */
export async function examineHost(clock: Pick<Clock, 'monotonicMs'>, probes: readonly Probe[] = PROBES): Promise<readonly Capability[]> {
  const found: Capability[] = [];
  for (const { name, fault, root, look } of probes) {
    const fromMs = clock.monotonicMs();
    const finding = await look().catch((error: unknown) => ({ status: 'failed', detail: messageOf(error) }) as const);
    found.push({ name, fault, root, ...finding, tookMs: clock.monotonicMs() - fromMs });
  }
  return found;
}
