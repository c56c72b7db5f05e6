/** A process that trades: it asks its lease a thousand times a second, and says when the answer changes. */
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { createTradingLease } from '../../src/tradingLease/lease.js';

const LOOK_MS = 1;

const [, , url = '', account = ''] = process.argv;
const bus = await openBus(url);
const lease = createTradingLease({ bus, account });
let isPermitted: boolean | undefined;
let isOver = false;

function look(): void {
  if (isOver) return;
  const atMs = systemClock.monotonicMs();
  const now = lease.check(atMs, 'increase') === undefined;
  if (now !== isPermitted) {
    isPermitted = now;
    process.send?.({ isPermitted, atMs });
  }
  systemClock.setTimer(LOOK_MS, look);
}

process.on('disconnect', () => {
  isOver = true;
  void lease.close().then(() => bus.close());
});
look();
