/** What stands at the door of an order service: a switch that is polled, a lease that two peers keep alive, and breakers. */
import type { StrategyBreakers } from '../../src/breakers/face.js';
import { createStrategyBreakers } from '../../src/breakers/strategyBreakers.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { systemClock } from '../../src/clock.js';
import { functionSource } from '../../src/killSwitch/functionSource.js';
import { createKillSwitch, type KillSwitch } from '../../src/killSwitch/killSwitch.js';
import { EXIT_WORKER_HEARTBEAT, encodePeerBeat, PEER_BEAT_MS, type PeerBeat, WATCHDOG_HEARTBEAT } from '../../src/messages/peerBeat.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE } from '../../src/messages/tradingState.js';
import type { Permission } from '../../src/permission.js';
import { createTradingLease, type TradingLease } from '../../src/tradingLease/lease.js';

const ACCOUNT = 'default';
const OPENS_WITHIN_MS = 10_000;
/** So long may one measurement keep the event loop from renewing anything. What the door costs does not depend on it. */
const MEASURED_MAX_MS = 5_000;
const LASTS_MS = 2 * MEASURED_MAX_MS;

const PEER = { generation: 'one', sequence: 0, host: 'another', bootId: 'another', epoch: 1 } as const;
const WATCHDOG: PeerBeat = { ...PEER, peerId: 'watchdog', pid: 901 };
const WORKER: PeerBeat = {
  ...PEER,
  peerId: 'exit-worker',
  pid: 902,
  worker: { account: ACCOUNT, identityMatches: true, bookAgeMs: 5, positions: 0 },
};

export interface Door {
  readonly killSwitch: KillSwitch;
  readonly lease: TradingLease;
  readonly breakers: StrategyBreakers;
  /** Resolves when every permission admits orders, and will for as long as one measurement may take. */
  fresh(): Promise<void>;
  close(): Promise<void>;
}

export async function openDoor(): Promise<Door> {
  const bus = createMemoryBus().handle();
  const armed = { ...NEVER_ARMED, epoch: 1, mode: 'ACTIVE', accounts: [ACCOUNT], changedBy: 'bench' } as const;
  await bus.latch(TRADING_STATE).compareAndSet((await bus.latch(TRADING_STATE).get()).version, encodeTradingState(armed));
  let sequence = 0;
  let beating = true;
  const beat = (): void => {
    if (!beating) return;
    sequence += 1;
    void bus.append(WATCHDOG_HEARTBEAT, encodePeerBeat({ ...WATCHDOG, sequence }), { key: WATCHDOG.peerId });
    void bus.append(EXIT_WORKER_HEARTBEAT, encodePeerBeat({ ...WORKER, sequence }), { key: WORKER.peerId });
    systemClock.setTimer(PEER_BEAT_MS, beat);
  };
  beat();
  const killSwitch = createKillSwitch({ sources: [functionSource(() => false)], maxStalenessMs: LASTS_MS });
  const inflight = { inflight: () => 0, unknownOutcomes: () => 0 };
  const lease = createTradingLease({ bus, account: ACCOUNT, inflight, ttlMs: LASTS_MS, suspendMaxMs: LASTS_MS });
  const breakers = createStrategyBreakers('bench', { missingData: true, volatility: {}, consecutiveLosses: {} });
  breakers.recordBar({ openMs: systemClock.wallMs(), close: 100 });
  return {
    killSwitch,
    lease,
    breakers,
    fresh: () => freshened([killSwitch, lease, breakers], killSwitch, lease),
    close: async () => {
      beating = false;
      await Promise.all([killSwitch.close(), lease.close(), breakers.close()]);
      await bus.close();
    },
  };
}

async function freshened(permissions: readonly Permission[], killSwitch: KillSwitch, lease: TradingLease): Promise<void> {
  const untilMs = systemClock.monotonicMs() + OPENS_WITHIN_MS;
  for (;;) {
    const nowMs = systemClock.monotonicMs();
    const refusal = permissions.map((permission) => permission.check(nowMs, 'increase')).find((refused) => refused !== undefined);
    const state = lease.state();
    const isFresh = killSwitch.state().checkedAgeMs < MEASURED_MAX_MS && state.kind === 'held' && state.untilMs - nowMs > MEASURED_MAX_MS;
    if (refusal === undefined && isFresh) return;
    if (nowMs > untilMs) throw new Error(`the door does not open: ${refusal?.code ?? 'nothing'} refuses: ${refusal?.reason ?? state.kind}`);
    await systemClock.sleep(5);
  }
}
