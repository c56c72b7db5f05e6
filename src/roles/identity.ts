/** Names a process, and makes sure that no other one works under the same name. */
import { type Bus, type BusRecord, BusUnavailableError } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { ConfigurationError, messageOf } from '../errors.js';
import { hostIdentity, processHasEnded } from '../host.js';
import type { Logger } from '../logger.js';
import { decodePeerBeat, type PeerBeat } from '../messages/peerBeat.js';

/** Stable across restarts, so that what was remembered under it is found again. */
export function defaultId(...parts: readonly string[]): string {
  return [...parts, hostIdentity().host]
    .join('-')
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 100);
}

function hasSurelyEnded({ host, bootId, pid }: PeerBeat): boolean {
  const here = hostIdentity();
  if (host !== here.host) return false;
  if (bootId !== here.bootId) return true;
  return processHasEnded(pid);
}

function beatOf(record: BusRecord | undefined): PeerBeat | undefined {
  const decoded = record === undefined ? undefined : decodePeerBeat(record.fields);
  return decoded?.ok ? decoded.value : undefined;
}

/** Beats that are watched for, where another process may hold the name. */
const WATCHED_BEATS = 4;
const WATCH_AT_LEAST_MS = 250;

interface NameWatch {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time between the beats of whoever may hold the name. */
  readonly beatMs: number;
}

async function holderOf(bus: Bus, stream: string, id: string, { clock, beatMs }: NameWatch): Promise<PeerBeat | undefined> {
  const before = beatOf(await bus.latest(stream, id));
  if (before === undefined || hasSurelyEnded(before)) return undefined;
  await clock.sleep(Math.max(WATCHED_BEATS * beatMs, WATCH_AT_LEAST_MS));
  const after = beatOf(await bus.latest(stream, id));
  return after?.generation === before.generation && after.sequence === before.sequence ? undefined : after;
}

/**
 * Two processes under one name would take each other's work for their own. Throws a ConfigurationError naming `id` where
 * another one beats under it; a bus that cannot say keeps nobody from starting.
 */
async function mustBeFree(bus: Bus, stream: string, id: string, watch: NameWatch): Promise<void> {
  let holder: PeerBeat | undefined;
  try {
    holder = await holderOf(bus, stream, id, watch);
  } catch (error) {
    if (!(error instanceof BusUnavailableError)) throw error;
    watch.logger.warn({ id, error: messageOf(error) }, 'whether another process has this name is not known');
  }
  if (holder === undefined) return;
  throw new ConfigurationError('id', id, `must be a name of its own: process ${holder.pid} on ${holder.host} works under this one`);
}

const FIRST_BEAT_WITHIN_MS = 1_000;
const LOOK_EVERY_MS = 10;

/** Waits until this process is seen to beat under its name: from then on others find the name taken. At most a second. */
async function untilSeen(bus: Bus, stream: string, id: string, { clock, logger }: Omit<NameWatch, 'beatMs'>): Promise<void> {
  const { bootId, pid } = hostIdentity();
  const untilMs = clock.monotonicMs() + FIRST_BEAT_WITHIN_MS;
  try {
    while (clock.monotonicMs() < untilMs) {
      const beat = beatOf(await bus.latest(stream, id));
      if (beat?.bootId === bootId && beat.pid === pid) return;
      await clock.sleep(LOOK_EVERY_MS);
    }
  } catch (error) {
    // Without contact it has work to do all the same.
    logger.warn({ id, error: messageOf(error) }, 'the first beat cannot be seen');
  }
}

/**
 * Runs what beats under `id` on `stream` until it ends. `onSeen` is called once others find the name taken, or cannot find it
 * free for want of contact. Throws a ConfigurationError naming `id` where another process works under it.
 */
export async function runUnderName(
  bus: Bus,
  { stream, id, ...watch }: NameWatch & { readonly stream: string; readonly id: string },
  run: () => Promise<void>,
  onSeen: () => void,
): Promise<void> {
  await mustBeFree(bus, stream, id, watch);
  const running = run();
  await Promise.race([running, untilSeen(bus, stream, id, watch)]);
  onSeen();
  await running;
}
