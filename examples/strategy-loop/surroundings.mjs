// What stands for yours: an exchange, a strategy, a book and a log.
import { setTimeout as sleep } from 'node:timers/promises';
import { createPaperBroker } from 'failflat/brokers/paper';

const [url = 'http://127.0.0.1:4000', file = './halted'] = process.argv.slice(2);
export const haltFile = file;

const broker = createPaperBroker({ url, account: 'default', source: 'strategy-loop', timeoutMs: 2_000 });
export const exchange = { send: (order) => broker.submit(order), timeoutMs: broker.timeoutMs };

// Fifty orders a second, in and out.
async function* orders(signal) {
  for (let number = 1; !signal.aborted; number += 1) {
    const side = number % 2 === 1 ? 'buy' : 'sell';
    const clientOrderId = `${process.pid}-${number}`;
    yield { clientOrderId, symbol: 'AAPL', positionSide: 'net', side, type: 'market', quantity: 1, reduceOnly: false };
    await sleep(20, undefined, { signal }).catch(() => undefined);
  }
}
export const strategy = { orders };

export const book = {
  apply: ({ clientOrderId, status }) => console.log(`${status} ${clientOrderId}`),
  unresolved: (error) => console.log(`unresolved ${error.message}`),
};

export const log = {
  warn: ({ clientOrderId }, { code }) => console.log(`refused ${clientOrderId}: ${code}`),
  end: ({ reason, report }) => console.log(`shut down: ${reason}, ${report.unfinished.length} orders unfinished`),
};
