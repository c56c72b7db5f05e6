/** Who is told what of the breakers: the log, the record and listeners. */
import { describe, expect, it } from 'vitest';
import type { Audit } from '../../src/audit/audit.js';
import { readAudit } from '../../src/audit/readAudit.js';
import type { BreakerEvent } from '../../src/breakers/face.js';
import { Reporter } from '../../src/breakers/reporter.js';
import { passes } from '../../src/breakers/result.js';
import { CLOSED, type Trip } from '../../src/breakers/state.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import type { Logger } from '../../src/logger.js';
import { seededRandom } from '../../src/random.js';
import { ManualClock } from '../../src/testing/manualClock.js';

const trip: Trip = { id: 't1', type: 'drawdown', reasonCode: 'drawdown', message: 'too deep', details: { value: 0.3 }, sinceWallMs: 5 };
const strategyId = 'mean-reversion';

function scene() {
  const logged: unknown[] = [];
  const recorded: unknown[] = [];
  const told: BreakerEvent[] = [];
  const line =
    (level: string) =>
    (details: object, message: string): void =>
      void logged.push([level, message, details]);
  const logger: Logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  const audit: Pick<Audit, 'record'> = {
    record: async (entry) => {
      recorded.push(entry);
      return { outcome: 'unknown', detail: 'nobody asks' };
    },
  };
  const reporter = new Reporter(strategyId, 'breakers:mean-reversion', { logger, audit });
  const stop = reporter.onEvent((event) => void told.push(event));
  return { reporter, logged, recorded, told, stop };
}

describe('a reporter', () => {
  it('tells of a trip', () => {
    const { reporter, logged, recorded, told } = scene();
    reporter.trip(trip);
    const details = { tripId: 't1', breaker: 'drawdown', reasonCode: 'drawdown', value: 0.3 };
    expect(logged).toEqual([
      ['error', 'circuit_breaker_triggered', { strategyId, trip }],
      ['info', 'too deep', { strategyId, event: 'breaker.tripped', ...details }],
    ]);
    expect(recorded).toEqual([{ event: 'breaker.tripped', cause: 'too deep', details: { strategyId, ...details } }]);
    expect(told).toEqual([{ type: 'tripped', trip }]);
  });

  it('tells of a trip that was found on the bus', () => {
    const { reporter, logged, recorded, told } = scene();
    reporter.adopted(trip);
    const details = { tripId: 't1', breaker: 'drawdown', reasonCode: 'drawdown' };
    expect(logged[0]).toEqual(['error', 'circuit_breaker_adopted', { strategyId, trip }]);
    expect(recorded).toEqual([{ event: 'breaker.adopted', cause: 'too deep', details: { strategyId, ...details } }]);
    expect(told).toEqual([{ type: 'tripped', trip }]);
  });

  it('tells of each status with its first trip, and from which it came', () => {
    const { reporter, recorded, told } = scene();
    const held = { trips: [trip, { ...trip, id: 't2', message: 'later' }] };
    const states = [
      CLOSED,
      { status: 'tripped', ...held },
      { status: 'cooling', ...held, untilMs: 1, attempt: 0 },
      { status: 'probing', ...held, untilMs: 1, attempt: 1, pending: [], acknowledged: 0 },
    ] as const;
    for (const state of states) reporter.status(state, 'closed');
    const details = { strategyId, from: 'closed' };
    expect(recorded).toEqual([
      { event: 'breaker.closed', cause: 'no trip is left', details },
      { event: 'breaker.latched', cause: 'too deep', details },
      { event: 'breaker.cooling', cause: 'too deep', details },
      { event: 'breaker.probing', cause: 'too deep', details },
    ]);
    expect(told).toEqual(states.map((state) => ({ type: 'status', state })));
  });

  it('tells of a reset: by whom, why, how, and of what', () => {
    const { reporter, recorded, told } = scene();
    reporter.reset('breaker.reset_heard', [trip], { by: 'op', reason: 'looked at', how: 'rebase' });
    const cleared = [{ type: 'drawdown', reasonCode: 'drawdown', id: 't1' }];
    expect(recorded).toEqual([
      { event: 'breaker.reset_heard', cause: 'looked at', details: { strategyId, by: 'op', how: 'rebase', cleared } },
    ]);
    expect(told).toEqual([{ type: 'reset', by: 'op', reason: 'looked at', cleared: [trip] }]);
  });

  it('tells of a warning with its level', () => {
    const { reporter, recorded, told } = scene();
    const result = passes('ok', '8 of 10', { usage: 0.8 });
    reporter.warning({ type: 'order_rate', result }, 0.75);
    const details = { strategyId, breaker: 'order_rate', level: 0.75, usage: 0.8 };
    expect(recorded).toEqual([{ event: 'breaker.warning', cause: '75 % of a limit: 8 of 10', details }]);
    expect(told).toEqual([{ type: 'warning', breaker: 'order_rate', level: 0.75, result }]);
  });

  it('tells nobody who has stopped listening, and is not disturbed by whoever throws', () => {
    const { reporter, told, stop } = scene();
    reporter.onEvent(() => {
      throw new Error('listener');
    });
    reporter.trip(trip);
    stop();
    reporter.trip(trip);
    expect(told).toHaveLength(1);
    const broken = () => {
      throw new Error('broken');
    };
    const logger = { debug: broken, info: broken, warn: broken, error: broken };
    const alone = new Reporter(strategyId, 'breakers', { logger, audit: { record: broken } });
    expect(() => alone.trip(trip)).not.toThrow();
    expect(() => new Reporter(strategyId, 'breakers', {}).trip(trip)).not.toThrow();
  });

  it('keeps its own record on the bus that it is given, in its own name and by the clock that it is given', async () => {
    const clock = new ManualClock({ wallMs: 1_700_000_000_000 });
    const bus = createMemoryBus({ clock, random: seededRandom('bus') }).handle();
    const reporter = new Reporter(strategyId, 'breakers:mean-reversion', { bus, clock, random: seededRandom('audit') });
    reporter.trip(trip);
    await clock.advance(100);
    const { entries } = await readAudit(bus);
    const told = entries.find(({ event }) => event === 'breaker.tripped');
    expect(told).toMatchObject({ actor: 'breakers:mean-reversion', cause: 'too deep', details: { strategyId, tripId: 't1' } });
    expect(JSON.stringify(entries)).toContain('1700000000');
  });
});
