/** The documentation says what is: its code compiles, its links lead somewhere, its defaults are those of the code. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_COMMAND_TIMEOUT_MS, DEFAULT_WEBHOOK_TIMEOUT_MS } from '../../src/alert/options.js';
import { CONFIG_DEFAULTS, PROBE_DEFAULTS } from '../../src/breakers/config.js';
import {
  DAILY_LOSS_DEFAULTS,
  INTENT_DEFAULTS,
  LOSS_DEFAULTS,
  MISSING_DATA_DEFAULTS,
  NOTIONAL_DEFAULTS,
  STALE_DATA_DEFAULTS,
  VOLATILITY_DEFAULTS,
} from '../../src/breakers/options.js';
import { RESET_TIMEOUT_MS } from '../../src/breakers/tripStore.js';
import { DEFAULT_SOURCE, DEFAULT_TIMEOUT_MS } from '../../src/brokers/paper/options.js';
import { DEFAULT_APPEND_TIMEOUT_MS, DEFAULT_READ_LIMIT, HEARTBEAT_RETENTION_MS, MAX_BLOCK_MS } from '../../src/bus/policy.js';
import { CALL_TIMEOUT_MS } from '../../src/bus/redis/context.js';
import { CONNECT_TIMEOUT_MS } from '../../src/bus/redis/dialling.js';
import { SILENT_CALLS_MAX } from '../../src/bus/redis/link.js';
import { REPLICA_MS } from '../../src/bus/redis/probe.js';
import { CHAOS_DEFAULTS } from '../../src/chaos/index.js';
import { WALL_DIVERGENCE_MS } from '../../src/clock.js';
import { DEFAULT_CONCURRENCY, DEFAULT_EXIT_TIMINGS } from '../../src/emergencyExit/options.js';
import { DEFAULT_BEAT_INTERVAL_MS, DEFAULT_DECISION_STALL_MS } from '../../src/exitBrain/options.js';
import {
  DEFAULT_CLOSE_TIMEOUT_MS,
  DEFAULT_LIVENESS_PATH,
  DEFAULT_NOTICE_MS,
  DEFAULT_READINESS_PATH,
  DEFAULT_RETRY_AFTER_MS,
} from '../../src/http/options.js';
import {
  BUS_READS_PER_STALENESS,
  DEFAULT_MAX_STALENESS_MS,
  DEFAULT_POLL_MS,
  HINT_GAP_MS,
  MAX_FILE_BYTES,
  MAX_UNANSWERED,
} from '../../src/killSwitch/options.js';
import { DEFAULT_HORIZON_MS, DEFAULT_KEEP_RESULTS, DEFAULT_MAX_AHEAD_MS } from '../../src/ledger/options.js';
import { ORIGINAL_STAMP_TOLERANCE_MS } from '../../src/messages/heartbeat.js';
import { BROKER_TIMEOUT_MS, LEASE_TTL_MS } from '../../src/messages/holder.js';
import { BOOK_AGE_MAX_MS, PEER_BEAT_MS } from '../../src/messages/peerBeat.js';
import { DEAD_WINDOW_MS } from '../../src/process/events.js';
import { BREATH_MS, SOURCE_CLOSE_MS } from '../../src/process/loopForms.js';
import {
  DEFAULT_FORCE_AFTER_MS,
  DEFAULT_HOOK_NAME,
  DEFAULT_HOOK_TIMEOUT_MS,
  DEFAULT_LOOP_NAME,
  DEFAULT_SIGNALS,
  UNASKED,
} from '../../src/process/options.js';
import { FLUSH_MS } from '../../src/process/owner.js';
import { DEFAULT_LABEL } from '../../src/shutdownGate/label.js';
import { DEFAULT_DRAIN_TIMEOUT_MS, DEFAULT_MAX_POSITION_AGE_MS } from '../../src/shutdownGate/options.js';
import { DEFAULT_SEEDS } from '../../src/simulation/command.js';
import { DRAIN_POLL_MS, PEER_LIVENESS_MS, PEER_PLACES, SUSPEND_MAX_MS } from '../../src/tradingLease/options.js';
import { HALT_TIMEOUT_MS, OBSERVE_MS, REARM_DWELL_MS, STATE_RETRY_MS } from '../../src/tradingState/options.js';
import { DEFAULT_ENVIRONMENT } from '../../src/venue/options.js';
import {
  DEFAULT_BUS_OUTAGE_MAX_MS,
  DEFAULT_RECONNECT_ALLOWANCE_MS,
  DEFAULT_RESEND_MAX_MS,
  DEFAULT_RESEND_MS,
  DEFAULT_RULE_LIMITS,
  DEFAULT_STALL_MS,
  DEFAULT_WORKER_MISSING_MS,
} from '../../src/watchdog/options.js';
import { REPOSITORY } from './packed.js';
import { compileErrors, pages, readPage, snippetsOf } from './snippets.js';

const SECTIONS = ['About', 'Usage', 'Defaults', 'Telemetry', 'Diagrams', 'Anti-patterns'];

/** What each page must say of the code, by the text of the first column. */
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, number | string>>>> = {
  'docs/simulation.md': { '--seeds': DEFAULT_SEEDS, '--seed': 1 },
  'docs/chaos.md': {
    armed: String(CHAOS_DEFAULTS.armed),
    types: CHAOS_DEFAULTS.types.join(', '),
    failureRate: CHAOS_DEFAULTS.failureRate,
    durationMs: CHAOS_DEFAULTS.durationMs,
    maxInjections: CHAOS_DEFAULTS.maxInjections,
    errorBudget: CHAOS_DEFAULTS.errorBudget,
    latencyMs: CHAOS_DEFAULTS.latencyMs,
    recoveryTimeoutMs: CHAOS_DEFAULTS.recoveryTimeoutMs,
    recoveryPollMs: CHAOS_DEFAULTS.recoveryPollMs,
  },
  'docs/shutdown-gate.md': {
    label: DEFAULT_LABEL,
    maxPositionAgeMs: DEFAULT_MAX_POSITION_AGE_MS,
    'waitForInflightZero timeoutMs': DEFAULT_DRAIN_TIMEOUT_MS,
  },
  'docs/breakers.md': {
    'volatility.threshold': VOLATILITY_DEFAULTS.threshold,
    'volatility.recentN': VOLATILITY_DEFAULTS.recentN,
    'volatility.baselineN': VOLATILITY_DEFAULTS.baselineN,
    'volatility.estimator': VOLATILITY_DEFAULTS.estimator,
    'volatility.minBaseline': String(VOLATILITY_DEFAULTS.minBaseline),
    'volatility.onInsufficientData': VOLATILITY_DEFAULTS.onInsufficientData,
    'missingMarketData onInsufficientData': MISSING_DATA_DEFAULTS.onInsufficientData,
    'staleData.expectedIntervalMs': STALE_DATA_DEFAULTS.expectedIntervalMs,
    'staleData.maxMissingBars': STALE_DATA_DEFAULTS.maxMissingBars,
    'consecutiveLosses.max': LOSS_DEFAULTS.max,
    'dailyLoss.dayStartsAtUtcMinutes': DAILY_LOSS_DEFAULTS.dayStartsAtUtcMinutes,
    'ordersPerIntent.allowance': INTENT_DEFAULTS.allowance,
    'notional.windowMs': NOTIONAL_DEFAULTS.windowMs,
    'probe.maxOrders': PROBE_DEFAULTS.maxOrders,
    'probe.maxAttempts': PROBE_DEFAULTS.maxAttempts,
    'probe.timeoutMs': PROBE_DEFAULTS.timeoutMs,
    onEvaluationError: CONFIG_DEFAULTS.onEvaluationError,
    maxStalenessMs: CONFIG_DEFAULTS.maxStalenessMs,
    futureToleranceMs: CONFIG_DEFAULTS.futureToleranceMs,
    'a reset is tried for, ms': RESET_TIMEOUT_MS,
  },
  'docs/killSwitch.md': {
    maxStalenessMs: DEFAULT_MAX_STALENESS_MS,
    pollMs: DEFAULT_POLL_MS,
    wallDivergenceMs: WALL_DIVERGENCE_MS,
    'largest file, bytes': MAX_FILE_BYTES,
    'a read of the bus waits at most, ms': DEFAULT_MAX_STALENESS_MS / BUS_READS_PER_STALENESS,
    'calls of one function that may hang': MAX_UNANSWERED,
    'after a read that a change overtook, ms': HINT_GAP_MS,
  },
  'docs/shutdown.md': {
    signals: DEFAULT_SIGNALS.join(', '),
    drainTimeoutMs: DEFAULT_DRAIN_TIMEOUT_MS,
    allowShortDrain: String(UNASKED.allowShortDrain),
    forceAfterMs: DEFAULT_FORCE_AFTER_MS,
    deadWindowMs: DEAD_WINDOW_MS,
    uncaughtException: String(UNASKED.uncaughtException),
    unhandledRejection: String(UNASKED.unhandledRejection),
    'onShutdown name': DEFAULT_HOOK_NAME,
    'onShutdown timeoutMs': DEFAULT_HOOK_TIMEOUT_MS,
    'runUntilShutdown name': DEFAULT_LOOP_NAME,
    'the output may take to reach its reader, ms': FLUSH_MS,
    'items without a pause give way after, ms': BREATH_MS,
    'a source may take to close, ms': SOURCE_CLOSE_MS,
  },
  'docs/http.md': {
    livenessPath: DEFAULT_LIVENESS_PATH,
    readinessPath: DEFAULT_READINESS_PATH,
    retryAfterMs: DEFAULT_RETRY_AFTER_MS,
    noticeMs: DEFAULT_NOTICE_MS,
    closeTimeoutMs: DEFAULT_CLOSE_TIMEOUT_MS,
  },
  'docs/trading-lease.md': {
    ttlMs: LEASE_TTL_MS,
    peerLivenessMs: PEER_LIVENESS_MS,
    suspendMaxMs: SUSPEND_MAX_MS,
    brokerTimeoutMs: BROKER_TIMEOUT_MS,
    workerBookAgeMaxMs: BOOK_AGE_MAX_MS,
    wallDivergenceMs: WALL_DIVERGENCE_MS,
    drainPollMs: DRAIN_POLL_MS,
    peersOn: PEER_PLACES[0],
  },
  'docs/trading-state.md': {
    'halt timeoutMs': HALT_TIMEOUT_MS,
    retryMs: STATE_RETRY_MS,
    'dwell in REDUCING, ms': REARM_DWELL_MS,
    observeMs: OBSERVE_MS,
  },
  'docs/watchdog.md': {
    'intervalMs (exit brain)': DEFAULT_BEAT_INTERVAL_MS,
    'decisionStallMs (exit brain)': DEFAULT_DECISION_STALL_MS,
    ...DEFAULT_RULE_LIMITS,
    peerBeatMs: PEER_BEAT_MS,
    stallMs: DEFAULT_STALL_MS,
    reconnectAllowanceMs: DEFAULT_RECONNECT_ALLOWANCE_MS,
    resendMs: DEFAULT_RESEND_MS,
    resendMaxMs: DEFAULT_RESEND_MAX_MS,
    busOutageMaxMs: DEFAULT_BUS_OUTAGE_MAX_MS,
    workerMissingMs: DEFAULT_WORKER_MISSING_MS,
    'timeoutMs of webhookAlert': DEFAULT_WEBHOOK_TIMEOUT_MS,
    'timeoutMs of commandAlert': DEFAULT_COMMAND_TIMEOUT_MS,
  },
  'docs/exit-worker.md': { concurrency: DEFAULT_CONCURRENCY, ...DEFAULT_EXIT_TIMINGS },
  'docs/ledger.md': { horizonMs: DEFAULT_HORIZON_MS, maxAheadMs: DEFAULT_MAX_AHEAD_MS, keepResults: DEFAULT_KEEP_RESULTS },
  'docs/bus.md': {
    'append timeoutMs': DEFAULT_APPEND_TIMEOUT_MS,
    'read limit': DEFAULT_READ_LIMIT,
    'longest blockMs': MAX_BLOCK_MS,
    'heartbeats are kept, ms': HEARTBEAT_RETENTION_MS,
  },
  'docs/redis.md': {
    'a call is answered within, ms': CALL_TIMEOUT_MS,
    'a connection is made within, ms': CONNECT_TIMEOUT_MS,
    'unanswered calls before it is replaced': SILENT_CALLS_MAX,
    'a replica confirms a write within, ms': REPLICA_MS,
    'heartbeats are kept, ms': HEARTBEAT_RETENTION_MS,
  },
  'docs/interoperation.md': { 'a beat is stamped within, ms': ORIGINAL_STAMP_TOLERANCE_MS },
  'docs/paper-venue.md': { timeoutMs: DEFAULT_TIMEOUT_MS, source: DEFAULT_SOURCE, 'environment of the venue': DEFAULT_ENVIRONMENT },
};

/** Rows whose figure has no constant of its own in the code. */
const FREE_ROWS = new Set(['port', 'read blockMs']);

const plain = (cell: string): string => cell.replaceAll('`', '').trim();

function tableOf(page: string): Map<string, string> {
  const section = /^## Defaults\n(.*?)^## /ms.exec(readPage(page))?.[1] ?? '';
  const rows = [...section.matchAll(/^\| (.+?) \| (.+?) \|$/gm)];
  return new Map(rows.map(([, option = '', value = '']) => [plain(option), plain(value)]));
}

const snippets = pages().flatMap((page) => snippetsOf(page, readPage(page)));

describe('the documentation', () => {
  describe('its code', () => {
    const broken = {
      place: 'docs/broken.md:1',
      code: `import { FailflatError, gone } from 'failflat';\nconst code: number = new FailflatError('configuration', 'x').code;\n`,
    };
    let errors: readonly string[];
    beforeAll(() => {
      errors = compileErrors([...snippets, broken]);
    }, 120_000);

    it('compiles', () => {
      expect(snippets.length).toBeGreaterThan(5);
      expect(errors.filter((error) => !error.startsWith(broken.place))).toEqual([]);
    });

    it('would be caught if it did not', () => {
      expect(errors.filter((error) => error.startsWith(broken.place))).toHaveLength(2);
    });
  });

  it.each([...pages(), 'examples/order-service/README.md'])('%s has links that lead somewhere', (page) => {
    const links = [...readPage(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '');
    expect(links.filter((link) => !existsSync(join(REPOSITORY, dirname(page), link)))).toEqual([]);
  });

  it.each(pages().filter((page) => page !== 'README.md'))('%s keeps the order of sections', (page) => {
    expect([...readPage(page).matchAll(/^## (.+)$/gm)].map((match) => match[1])).toEqual(SECTIONS);
  });

  it('is reached from README', () => {
    expect(pages().filter((page) => page !== 'README.md' && !readPage('README.md').includes(`(${page})`))).toEqual([]);
  });

  it.each(pages())('%s tells no figure that nobody checks', (page) => {
    const figures = [...tableOf(page)].filter(([, value]) => /^[\d,]+$/.test(value)).map(([option]) => option);
    expect(figures.filter((option) => !(option in (DEFAULTS[page] ?? {})) && !FREE_ROWS.has(option))).toEqual([]);
  });

  it.each(Object.entries(DEFAULTS))('%s tells the defaults of the code', (page, expected) => {
    const table = tableOf(page);
    for (const [option, value] of Object.entries(expected)) {
      expect(table.get(option), option).toBe(typeof value === 'number' ? value.toLocaleString('en-US') : value);
    }
  });
});

describe('README', () => {
  it('names the two commands that the package has', () => {
    const text = readPage('README.md');
    expect(text).toMatch(/^npm ci && npm start$/m);
    expect(text).toMatch(/^npm ci && npm test$/m);
  });
});
