/** Does what a fault says to a world, and undoes it. */
import { encodePanicClose, PANIC_CLOSE } from '../../messages/panicClose.js';
import { ACCOUNT, diskOf, WALL_START_MS } from '../world/ground.js';
import type { World } from '../world/world.js';
import type { Fault } from './schedule.js';

type Undo = () => void;
const NOTHING: Undo = () => {};
const NO_STRIKES = { next: 0, everyNth: 0, sources: [], symbols: [] };

function onProcess(world: World, fault: Fault, name: string): Undo {
  const process = world.process(name);
  switch (fault.kind) {
    case 'crash':
      world.kill(name);
      return () => world.start(name);
    case 'terminate':
      world.terminate(name);
      return () => world.startWhenEnded(name);
    case 'stop':
      process?.stop();
      return () => process?.resume();
    case 'suspend': {
      const sinceMs = world.kernel.nowMs;
      process?.stop();
      return () => {
        process?.clock.suspended(world.kernel.nowMs - sinceMs);
        process?.resume();
      };
    }
    case 'wall-step':
      process?.clock.stepWall(fault.amount ?? 0);
      return NOTHING;
    default:
      world.hang(name);
      return NOTHING;
  }
}

function onLine(world: World, fault: Fault, name: string): Undo {
  const line = fault.kind.startsWith('bus') ? world.redis.link(name) : world.venue.link(name);
  if (fault.kind === 'bus-reset') {
    line?.reset();
    return NOTHING;
  }
  if (fault.kind.endsWith('clog')) {
    line?.setExtra(fault.amount ?? 0);
    return () => line?.setExtra(0);
  }
  line?.setStall(fault.way ?? 'both');
  return () => line?.setStall('none');
}

function onBus({ redis, kernel }: World, { kind, forMs }: Fault): Undo {
  const { server } = redis;
  switch (kind) {
    case 'bus-freeze':
      redis.freeze();
      return () => redis.thaw();
    case 'bus-restart':
    case 'bus-loss':
      redis.kill();
      return () => redis.start(kind === 'bus-restart');
    case 'bus-failover':
      // What is acknowledged while the copy does not hear of it is lost.
      redis.cutReplica(true);
      kernel.after(Math.min(forMs, 2_000), 'fail over', () => redis.failOver());
      return NOTHING;
    case 'bus-full':
      server.outOfMemory = true;
      return () => {
        server.outOfMemory = false;
      };
    case 'bus-read-only':
      server.readOnly = true;
      return () => {
        server.readOnly = false;
      };
    default:
      server.latchesInDoubt = true;
      return () => {
        server.latchesInDoubt = false;
      };
  }
}

function onVenue({ venue }: World, { kind, amount = 1, forMs }: Fault): Undo {
  const before = venue.switches;
  switch (kind) {
    case 'venue-freeze':
      venue.set({ frozen: true });
      return () => venue.set({ frozen: false });
    case 'venue-reject':
      venue.set({ rejects: { ...NO_STRIKES, next: amount, reason: 'other' } });
      return () => venue.set({ rejects: { ...NO_STRIKES, reason: 'other' } });
    case 'venue-silent':
      venue.set({ dropAnswers: { ...NO_STRIKES, next: amount, of: ['submit', 'cancel'] } });
      return () => venue.set({ dropAnswers: { ...NO_STRIKES, of: ['submit', 'cancel'] } });
    case 'venue-lost':
      venue.set({ loseOrders: { ...NO_STRIKES, next: amount } });
      return () => venue.set({ loseOrders: NO_STRIKES });
    case 'venue-unreadable':
      venue.set({ readFailures: { ...NO_STRIKES, forMs, of: ['positions', 'orders', 'order'] } });
      return () => venue.set({ readFailures: { ...NO_STRIKES, forMs: 0, of: ['positions', 'orders', 'order'] } });
    case 'venue-stale':
      venue.set({ staleReadsMs: amount });
      return () => venue.set({ staleReadsMs: 0 });
    case 'venue-partial':
      venue.set({ partialFills: { slices: 4, intervalMs: 30, endAfter: 2 } });
      return () => venue.set({ partialFills: { slices: 1, intervalMs: 0, endAfter: null } });
    case 'venue-expire':
      venue.set({ expireMarketOrders: { ...NO_STRIKES, next: amount } });
      return () => venue.set({ expireMarketOrders: NO_STRIKES });
    case 'venue-late-fill':
      venue.set({ executionDelayMs: amount });
      return () => venue.set({ executionDelayMs: before.executionDelayMs });
    default:
      venue.set({ closedMarket: { symbols: 'all', orders: 'reject' } });
      return () => venue.set({ closedMarket: { symbols: [], orders: 'reject' } });
  }
}

function onDisk(world: World, { kind }: Fault, name: string): Undo {
  const disk = diskOf(world, `host-${name}`);
  if (kind === 'disk-flip') {
    disk.flipBits();
    return NOTHING;
  }
  disk.fault = 'full';
  return () => {
    disk.fault = 'none';
  };
}

/** An operator's panic: written where the watchdogs and workers read it. */
function panic({ redis, kernel }: World): Undo {
  const wallMs = WALL_START_MS + kernel.nowMs;
  const eventId = kernel.random.fork(`operator ${kernel.nowMs}`).id();
  const fields = encodePanicClose({
    eventId,
    reason: 'simulated',
    issuedBy: 'ops',
    by: 'operator',
    wallMs,
    epoch: 1,
    scope: ACCOUNT,
    resend: 0,
  });
  redis.write({
    ask: 'append',
    stream: PANIC_CLOSE,
    key: undefined,
    fields,
    idempotencyKey: `panic_close/${eventId}`,
    deadlineMs: Infinity,
    sure: true,
  });
  return NOTHING;
}

/** Answers how it is undone. */
export function inject(world: World, fault: Fault): Undo {
  const { kind, target = 'brain' } = fault;
  if (kind === 'operator-panic') return panic(world);
  if (kind === 'runaway') {
    world.runAway(fault.amount ?? 1);
    return NOTHING;
  }
  if (kind.startsWith('disk')) return onDisk(world, fault, target);
  if (kind.endsWith('stall') || kind.endsWith('clog') || kind === 'bus-reset') return onLine(world, fault, target);
  if (kind.startsWith('bus')) return onBus(world, fault);
  if (kind.startsWith('venue')) return onVenue(world, fault);
  return onProcess(world, fault, target);
}
