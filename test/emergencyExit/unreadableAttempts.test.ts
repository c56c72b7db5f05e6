/** A close that was written down and cannot be read any more is not closed beside where nothing would keep that from being twice. */
import { afterEach, describe, expect, it } from 'vitest';
import { BrokerUnavailableError } from '../../src/broker/broker.js';
import type { Bus } from '../../src/bus/bus.js';
import { CLOSE_ATTEMPTS } from '../../src/messages/closeAttempt.js';
import { createExitScene, type ExitScene, type RunningWorker } from '../support/exitScene.js';

type Spoil = 'corrupt' | 'undecodable';

describe('a close attempt that cannot be read', () => {
  let scene: ExitScene;
  let first: RunningWorker;
  afterEach(() => scene.end());

  /** The note of the first worker's close is spoilt, its close is 8 s on its way, and it dies. */
  async function takeover(spoil: Spoil, venue: Parameters<ExitScene['venue']['set']>[0]) {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.set(venue);
    const wrapBus = (bus: Bus): Bus =>
      new Proxy(bus, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]): unknown => {
            if (name !== 'append' || args[0] !== CLOSE_ATTEMPTS) return Reflect.apply(value, target, args);
            if (spoil === 'undecodable') return target.append(CLOSE_ATTEMPTS, { incident: 'default@1', quantity: 'ten' });
            scene.memory.corrupt(CLOSE_ATTEMPTS);
            return Promise.resolve({ outcome: 'committed', id: 'spoilt' });
          };
        },
      });
    first = scene.worker({
      wrapBus,
      orderTransitMs: () => 8_000,
      wrapBroker: (broker) => ({
        ...broker,
        submit: (order, signal) => {
          const answer = broker.submit(order, signal);
          first.kill();
          return answer;
        },
      }),
    });
    scene.worker();
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(() => first.killed(), 12_000, 'the first close');
    await scene.clock.advance(25_000);
  }

  const after = () => scene.venue.events().flatMap((event) => (event.kind === 'fill' ? [event.positionAfter] : []));

  it.each(['corrupt', 'undecodable'] as const)(
    'S4: %s, and nothing caps a close: a person is called, and nothing is sent',
    async (spoil) => {
      await takeover(spoil, { reduceOnly: 'rejected', clientOrderIds: 'while_open' });
      expect(after(), 'only the close that was on its way').toEqual([0]);
      const [escalation] = await scene.escalations();
      expect(escalation).toMatchObject({ verdict: 'operator_needed', worker: 'w2' });
      expect(escalation?.residue.map(({ symbol, why }) => `${symbol} ${why}`).join()).toMatch(
        /\* closes that were sent before cannot be read/,
      );
      expect(await scene.completions()).toEqual([]);
      expect(await scene.audited()).toContain('exit.close_unreadable');
    },
  );

  it('S4, S6: where the venue ends every order it is waited for, and then closed', async () => {
    await takeover('undecodable', { reduceOnly: 'rejected', clientOrderIds: 'never', orderExpiryMs: 4_000 });
    expect(after()).toEqual([0]);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat', worker: 'w2' }]);
  });

  it.each([
    ['caps the close', { reduceOnly: 'enforced', clientOrderIds: 'while_open' } as const],
    ['takes no id twice', { reduceOnly: 'rejected' } as const],
  ])('S4, S6: where the venue %s, the successor closes', async (_what, venue) => {
    await takeover('corrupt', venue);
    expect(after()).toEqual([0]);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat', worker: 'w2' }]);
  });

  it.each([
    ['belongs to another account', { incident: 'other@1', quantity: 'ten' }],
    ['says so itself', { account: 'other', quantity: 'ten' }],
    ['is of an exit that has ended', { incident: 'default@1', quantity: 'ten', fencing_token: '0' }],
  ])('S6: one that surely %s stands in nobody’s way when an exit changes hands', async (_what, fields) => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.set({ reduceOnly: 'rejected', clientOrderIds: 'never' });
    await scene.bus.append(CLOSE_ATTEMPTS, fields);
    first = scene.worker({
      wrapBroker: (broker) => ({ ...broker, positions: () => Promise.reject(new BrokerUnavailableError('no route')) }),
    });
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(async () => (await scene.audited()).includes('exit.taken_up'), 2_000, 'the claim');
    first.kill();
    scene.worker();
    await scene.until(async () => (await scene.completions()).length > 0, 12_000, 'the completion');
    expect(scene.venue.positions().size).toBe(0);
    expect(await scene.audited()).not.toContain('exit.close_unreadable');
  });

  it('S6: one that was there before the first exit of its account stands in nobody’s way', async () => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.set({ reduceOnly: 'rejected', clientOrderIds: 'never' });
    await scene.bus.append(CLOSE_ATTEMPTS, { quantity: 'ten' });
    scene.worker();
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length > 0, 12_000, 'the completion');
    expect(scene.venue.positions().size).toBe(0);
  });
});
