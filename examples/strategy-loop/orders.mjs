// What the strategy wants, fifty times a second: it stands for yours.
import { setTimeout as sleep } from 'node:timers/promises';

export async function* orders(signal) {
  for (let number = 1; !signal.aborted; number += 1) {
    const side = number % 2 === 1 ? 'buy' : 'sell';
    yield {
      clientOrderId: `${process.pid}-${number}`,
      symbol: 'AAPL',
      positionSide: 'net',
      side,
      type: 'market',
      quantity: 1,
      reduceOnly: false,
    };
    await sleep(20, undefined, { signal }).catch(() => undefined);
  }
}
