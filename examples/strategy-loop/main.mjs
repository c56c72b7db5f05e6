// A strategy's loop around the paper venue, with a kill switch, signals and a drain.
//
//   npx failflat venue --port 4000
//   printf 0 > halted
//   node examples/strategy-loop/main.mjs http://127.0.0.1:4000 halted
//
// Write 1 into the file and its orders are refused; end it with Ctrl-C and it sends nothing more, waits for what is on its way, and says so.
import { createKillSwitch, fileSource, guardOrderSubmission, handleSignals, onShutdown, runUntilShutdown } from 'failflat';
import { createPaperBroker } from 'failflat/brokers/paper';
import { orders } from './orders.mjs';

const [url = 'http://127.0.0.1:4000', haltFile = './halted'] = process.argv.slice(2);
const broker = createPaperBroker({ url, account: 'default', source: 'strategy-loop', timeoutMs: 2_000 });
const killSwitch = createKillSwitch({ sources: [fileSource(haltFile)] });
await killSwitch.ready;
handleSignals({ drainTimeoutMs: 8_000 });
onShutdown(({ reason, report }) => console.log(`shut down: ${reason}, ${report.unfinished.length} orders unfinished`));

const submit = guardOrderSubmission((order) => broker.submit(order), {
  killSwitch,
  label: (order) => order.clientOrderId,
  brokerTimeoutMs: 2_000,
});

await runUntilShutdown(
  async (signal) => {
    for await (const order of orders(signal)) {
      const admission = submit.trySubmit(order);
      if (admission.ok)
        admission.outcome.then(
          ({ clientOrderId, status }) => console.log(`${status} ${clientOrderId}`),
          (error) => console.log(`unresolved ${order.clientOrderId}: ${error.message}`),
        );
      else console.log(`refused ${order.clientOrderId}: ${admission.code}`);
    }
  },
  { name: 'mean-reversion' },
);
