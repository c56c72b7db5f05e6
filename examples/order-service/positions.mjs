// The position as the venue last told it: what proves that an order only reduces, also while everything else is halted.
import { runUntilShutdown } from 'failflat';

export function followPositions(broker, account, everyMs = 200) {
  let seen = { askedMs: -Infinity, positions: [], resting: [] };
  const look = async () => {
    const askedMs = performance.now();
    // Orders first: one that fills between the two reads then counts twice, and never not at all.
    const resting = await broker.openOrders();
    seen = { askedMs, resting, positions: await broker.positions() };
  };
  // A read that fails leaves what was seen before, until it is too old to prove anything.
  void runUntilShutdown(look, { name: 'positions', everyMs, onError: 'continue' });

  return {
    proofFor({ symbol, side, quantity }) {
      const held = seen.positions.find((position) => position.symbol === symbol)?.quantity ?? 0;
      const spoken = seen.resting
        .filter((order) => order.symbol === symbol && order.side === side)
        .reduce((sum, order) => sum + order.quantity - order.filledQuantity, 0);
      const position = Math.sign(held) * Math.max(0, Math.abs(held) - spoken);
      return { account, symbol, side, quantity, position, positionAgeMs: performance.now() - seen.askedMs };
    },
  };
}
