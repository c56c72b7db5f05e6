/** Which panics are carried out, and that none is lost or blocks another. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Bus, FROM_START } from '../../src/bus/bus.js';
import { CLOSE_ATTEMPTS } from '../../src/messages/closeAttempt.js';
import { PANIC_COMPLETED } from '../../src/messages/completion.js';
import { PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { TRADING_STATE } from '../../src/messages/tradingState.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('panics that reach a worker', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  async function begin() {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    const worker = scene.worker();
    await scene.clock.advance(500);
    return worker;
  }

  it('S6: a malformed panic is audited, alarmed and acknowledged, and the next one is carried out', async () => {
    const worker = await begin();
    await scene.bus.append(PANIC_CLOSE, { schema: '1', event_id: 'x', epoch: 'soon' });
    scene.memory.corrupt(PANIC_CLOSE);
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    expect(worker.alerts.map(({ kind }) => kind)).toContain('panic.malformed');
    expect(await scene.audited()).toContain('panic.malformed');
    await scene.until(async () => (await scene.unacknowledged()) === 0, 1_000);
  });

  it('S6: a panic of an earlier epoch is audited and alarmed, never carried out', async () => {
    const worker = await begin();
    await scene.arm(['default'], 2);
    await scene.clock.advance(500);
    await scene.panic({ epoch: 1 });
    await scene.clock.advance(5_000);
    expect(scene.venue.positions().size).toBe(1);
    expect(worker.alerts.map(({ kind }) => kind)).toContain('panic.stale_epoch');
    expect(await scene.audited()).toContain('panic.stale_epoch');
    expect(await scene.unacknowledged()).toBe(0);
  });

  it('S6: a re-arm ends the incident that it supersedes', async () => {
    await begin();
    scene.venue.set({ closedMarket: { symbols: 'all' } });
    await scene.panic();
    await scene.until(async () => (await scene.escalations()).some(({ verdict }) => verdict === 'market_closed'), 5_000);
    await scene.arm(['default'], 2);
    await scene.clock.advance(2_000);
    scene.venue.set({ closedMarket: { symbols: [] } });
    await scene.clock.advance(10_000);
    expect(scene.venue.positions().size).toBe(1);
    expect(await scene.audited()).toContain('exit.superseded');
    expect(await scene.unacknowledged()).toBe(0);
  });

  it('S9: sent many times, delivered to two workers: one incident, one close, one completion', async () => {
    await begin();
    scene.worker();
    for (let resend = 0; resend < 6; resend++) await scene.panic({ eventId: 'same', resend });
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    await scene.clock.advance(5_000);
    expect(await scene.completions()).toHaveLength(1);
    expect(scene.venue.events().filter((event) => event.kind === 'fill')).toHaveLength(1);
    expect(await scene.unacknowledged()).toBe(0);
  });

  it('S6: another panic after the completion looks at the book again, under the next token', async () => {
    await begin();
    await scene.panic({ eventId: 'first' });
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    scene.venue.seed([{ symbol: 'MSFT', quantity: -3 }]);
    await scene.panic({ eventId: 'second' });
    await scene.until(async () => (await scene.completions()).length === 2, 12_000);
    expect(scene.venue.positions().size).toBe(0);
    expect((await scene.completions()).map(({ fencingToken }) => fencingToken)).toEqual([1, 2]);
  });

  it('S6: a panic that joins an incident is answered by its completion', async () => {
    await begin();
    await scene.panic({ eventId: 'first' });
    await scene.clock.advance(200);
    await scene.panic({ eventId: 'second' });
    await scene.until(async () => (await scene.completions()).length > 0, 12_000);
    expect((await scene.completions()).map(({ eventId, answers }) => ({ eventId, answers }))).toEqual([
      { eventId: 'first', answers: ['first', 'second'] },
    ]);
  });

  it('S6: one that joins while a silent holder is waited for is answered, too', async () => {
    await begin();
    await scene.holder({ event: 'attested' });
    await scene.panic({ eventId: 'first' });
    await scene.until(async () => (await scene.completions()).length > 0, 12_000);
    await scene.panic({ eventId: 'second' });
    await scene.until(async () => (await scene.completions()).length > 1, 2_000);
    expect((await scene.completions()).map(({ verdict, answers }) => ({ verdict, answers }))).toEqual([
      { verdict: 'flat_unconfirmed', answers: ['first'] },
      { verdict: 'flat_unconfirmed', answers: ['first', 'second'] },
    ]);
  });

  it('S6: one that comes while the completion is being recorded is carried out anew', async () => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    let recording = false;
    const slowly = (bus: Bus): Bus =>
      new Proxy(bus, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]): unknown => {
            const call = (): unknown => Reflect.apply(value, target, args);
            if (name !== 'append' || args[0] !== PANIC_COMPLETED) return call();
            recording = true;
            return scene.clock.sleep(700).then(call);
          };
        },
      });
    scene.worker({ wrapBus: slowly });
    await scene.clock.advance(500);
    await scene.panic({ eventId: 'first' });
    await scene.until(() => recording, 12_000);
    await scene.panic({ eventId: 'second' });
    await scene.until(async () => (await scene.completions()).length > 1, 12_000);
    expect((await scene.completions()).map(({ answers }) => answers)).toEqual([['first'], ['second']]);
    await scene.until(async () => (await scene.unacknowledged()) === 0, 1_000);
  });

  it('S3, S6: a trading state that nobody can understand keeps no book open', async () => {
    await begin();
    scene.memory.spoilLatch(TRADING_STATE);
    await scene.panic();
    await scene.until(() => scene.venue.positions().size === 0, 3_000);
  });

  it('S6: a panic in the original format belongs to the epoch known last, where nobody can understand the state', async () => {
    await begin();
    scene.memory.spoilLatch(TRADING_STATE);
    await scene.bus.append(PANIC_CLOSE, { issued_by: 'risk_kernel', event_id: 'o1', reason: 'DRAWDOWN' });
    await scene.until(() => scene.venue.positions().size === 0, 3_000);
    const attempts = (await scene.bus.read(CLOSE_ATTEMPTS, FROM_START)).records.map(({ fields }) => fields['incident']);
    expect(attempts).toEqual(['default@1']);
  });
});
