// The lines around a strategy: a kill switch, signals, a guarded exchange, and a loop that ends when it is told to.
//
//   npx failflat venue --port 4000
//   printf 0 > halted
//   node examples/strategy-loop/main.mjs http://127.0.0.1:4000 halted
//
// Write 1 into the file and its orders are refused; end it with Ctrl-C and it sends nothing more, waits for what is on its way, and says so.
import { createKillSwitch, fileSource, guardOrderSubmission, handleSignals, onShutdown, runUntilShutdown } from 'failflat';
import { book, exchange, haltFile, log, strategy } from './surroundings.mjs';

const killSwitch = createKillSwitch({ sources: [fileSource(haltFile)] });
await killSwitch.ready;
handleSignals({ drainTimeoutMs: 8_000 });
onShutdown(log.end);
const submit = guardOrderSubmission((order) => exchange.send(order), {
  killSwitch,
  label: (order) => order.clientOrderId,
  brokerTimeoutMs: exchange.timeoutMs,
});
await runUntilShutdown(
  async (signal) => {
    for await (const order of strategy.orders(signal)) {
      const admission = submit.trySubmit(order);
      if (admission.ok) admission.outcome.then(book.apply, book.unresolved);
      else log.warn(order, admission);
    }
  },
  { name: 'mean-reversion' },
);
