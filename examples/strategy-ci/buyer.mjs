// Buys one share after the other until it holds ten. It has a bug: whatever goes wrong, it sends a new order.
export async function buyer({ submit, clock, signal }) {
  let held = 0;
  for (let number = 1; held < 10 && !signal.aborted; number += 1) {
    await clock.sleep(500, signal);
    try {
      await submit({ ...share, clientOrderId: `buy-${number}` });
      held += 1;
    } catch {
      // Not bought: the next turn tries again.
    }
  }
}

const share = { symbol: 'AAPL', positionSide: 'net', side: 'buy', type: 'market', quantity: 1, reduceOnly: false };
