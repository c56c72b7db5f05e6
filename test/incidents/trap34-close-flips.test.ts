/** S4 holds without the help of the venue. */
import { afterEach, describe, expect, it } from 'vitest';
import type { VenueSwitchesPatch } from '../../src/brokers/paper/index.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

const REDUCE_ONLY = ['enforced', 'ignored', 'rejected'] as const;

/** Each makes a second close look right that would sell twice. */
const TROUBLES: readonly (readonly [what: string, trouble: VenueSwitchesPatch])[] = [
  ['a lost answer', { dropAnswers: { next: 1 }, executionDelayMs: 5_500 }],
  ['a close that fills late', { executionDelayMs: 700 }],
  ['a book that shows fills late', {}],
];

describe('trap 34: a close at twice the size flips the position; a venue ignores or refuses reduce-only', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  it.each(REDUCE_ONLY.flatMap((reduceOnly) => TROUBLES.map(([what, trouble]) => [reduceOnly, what, trouble] as const)))(
    'trap 34: S4: reduce-only %s: %s and a stale book flip nothing',
    async (reduceOnly, _what, trouble) => {
      scene = createExitScene();
      await scene.arm();
      scene.venue.seed([
        { symbol: 'AAPL', quantity: 10 },
        { symbol: 'MSFT', quantity: -4 },
      ]);
      scene.venue.set({ reduceOnly, staleReadsMs: 900, declaredReadLagMs: 0, latencyMs: 20, readLatencyMs: 10 });
      scene.worker();
      await scene.clock.advance(2_000);
      scene.venue.set(trouble);
      await scene.panic();
      await scene.clock.advance(12_000);
      const sent = scene.venue.events().filter((event) => event.kind === 'request');
      expect(
        sent.map(({ symbol, quantity }) => ({ symbol, quantity })),
        'a second close was sent',
      ).toEqual([
        { symbol: 'AAPL', quantity: 10 },
        { symbol: 'MSFT', quantity: 4 },
      ]);
      const fills = scene.venue.events().filter((event) => event.kind === 'fill');
      expect(
        fills.map(({ symbol, positionAfter }) => ({ symbol, positionAfter })).sort((a, b) => a.symbol.localeCompare(b.symbol)),
      ).toEqual([
        { symbol: 'AAPL', positionAfter: 0 },
        { symbol: 'MSFT', positionAfter: 0 },
      ]);
      await scene.until(async () => (await scene.completions()).length === 1, 18_000, 'the completion');
    },
  );

  it('trap 34: S4: a close that was lost on its way is sent again no larger than what is left by then', async () => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.set({ reduceOnly: 'rejected', loseOrders: { next: 1, sources: ['w1'] } });
    scene.worker();
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(() => scene.venue.events().some(({ kind }) => kind === 'answer_dropped'), 2_000, 'the lost close');
    const byHand = { clientOrderId: 'by-hand', symbol: 'AAPL', positionSide: 'net', side: 'sell', type: 'market' } as const;
    await scene.venue.broker('person').submit({ ...byHand, quantity: 6, reduceOnly: false });
    await scene.clock.advance(12_000);
    const fills = scene.venue.events().flatMap((event) => (event.kind === 'fill' ? [`${event.source} → ${event.positionAfter}`] : []));
    expect(fills).toEqual(['person → 4', 'w1 → 0']);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat' }]);
  });
});
