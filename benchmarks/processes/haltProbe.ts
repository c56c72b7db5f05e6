/** A process that trades: it asks a permission a thousand times a second, and says when the answer changes. */
import { type Bus, BusUnavailableError } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { busSource } from '../../src/killSwitch/busSource.js';
import { fileSource } from '../../src/killSwitch/fileSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import type { Permission } from '../../src/permission.js';
import { createTradingLease } from '../../src/tradingLease/lease.js';

const LOOK_MS = 1;
/** Processes that all start at once may be too slow for the first connection. */
const OPENS_WITHIN_MS = 15_000;
const RETRY_MS = 50;

interface Asked {
  readonly permission: Permission;
  close(): Promise<void>;
}

async function openInTime(url: string): Promise<Bus> {
  const untilMs = systemClock.monotonicMs() + OPENS_WITHIN_MS;
  for (;;) {
    try {
      return await openBus(url);
    } catch (error) {
      if (!(error instanceof BusUnavailableError) || systemClock.monotonicMs() > untilMs) throw error;
      await systemClock.sleep(RETRY_MS);
    }
  }
}

/** What is asked: a lease for an account, or a kill switch on the bus or on a file. */
const makers: Readonly<Record<string, (place: string, account: string) => Promise<Asked>>> = {
  lease: async (url, account) => {
    const bus = await openInTime(url);
    const permission = createTradingLease({ bus, account });
    return { permission, close: () => permission.close().then(() => bus.close()) };
  },
  bus: async (url) => {
    const bus = await openInTime(url);
    const permission = createKillSwitch({ sources: [busSource(bus)] });
    return { permission, close: () => permission.close().then(() => bus.close()) };
  },
  file: async (path) => {
    const permission = createKillSwitch({ sources: [fileSource(path)] });
    return { permission, close: () => permission.close() };
  },
};

const [, , kind = '', place = '', account = ''] = process.argv;
const made = await makers[kind]?.(place, account);
if (made === undefined) throw new Error(`kind = ${kind}: must be one of ${Object.keys(makers).join(', ')}`);
const { permission, close } = made;
let isPermitted: boolean | undefined;
let isOver = false;

function look(): void {
  if (isOver) return;
  const atMs = systemClock.monotonicMs();
  const now = permission.check(atMs, 'increase') === undefined;
  if (now !== isPermitted) {
    isPermitted = now;
    // Nobody may be there to hear it any more.
    process.send?.({ isPermitted, atMs }, undefined, undefined, () => undefined);
  }
  systemClock.setTimer(LOOK_MS, look);
}

process.on('disconnect', () => {
  isOver = true;
  void close();
});
look();
