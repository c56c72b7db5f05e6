// An order service on Fastify, in front of the paper venue. The README beside it shows how to start, call, halt and stop it.
import { createKillSwitch, fileSource, guardOrderSubmission, handleSignals, onShutdown } from 'failflat';
import { createPaperBroker } from 'failflat/brokers/paper';
import failflat from 'failflat/fastify';
import fastify from 'fastify';
import { sendOutcome } from './answers.mjs';
import { cancelSchema, orderFrom, orderSchema } from './orders.mjs';
import { followPositions } from './positions.mjs';

const [url = 'http://127.0.0.1:4000', haltFile = './halted', port = '3000'] = process.argv.slice(2);
const account = 'default';
const broker = createPaperBroker({ url, account, source: 'order-service', timeoutMs: 2_000 });
const positions = followPositions(broker, account);
const killSwitch = createKillSwitch({ sources: [fileSource(haltFile)] });
await killSwitch.ready;

// More than the drain, the notice to load balancers and the last answers take together.
handleSignals({ drainTimeoutMs: 8_000, forceAfterMs: 15_000 });
onShutdown(({ reason, report }) => console.log(`shut down: ${reason}, ${report.unfinished.length} orders unfinished`));

const submit = guardOrderSubmission((order) => broker.submit(order), {
  killSwitch,
  intent: (order) => (order.reduceOnly ? 'reduce' : 'increase'),
  verifyReduce: (order) => positions.proofFor(order),
  label: (order) => order.clientOrderId,
  submissionTimeoutMs: 1_500,
  brokerTimeoutMs: 2_000,
});
const cancel = guardOrderSubmission(async (order) => ({ result: await broker.cancel(order) }), {
  intent: 'cancel',
  label: (order) => `cancel of ${order.orderId}`,
  brokerTimeoutMs: 2_000,
});

// Numbers are numbers, and a field that nobody knows is refused: an order is not to be guessed at.
const app = fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false } } });
// First of all plugins. It is not given the switch: what an order does stands in its body, so the door decides.
await app.register(failflat);

app.post('/orders', { schema: orderSchema }, (request, reply) => sendOutcome(reply, submit.trySubmit(orderFrom(request.body))));
app.delete('/orders/:orderId', { schema: cancelSchema }, (request, reply) =>
  sendOutcome(reply, cancel.trySubmit({ orderId: request.params.orderId, symbol: request.query.symbol })),
);
app.get('/orders/:symbol/:clientOrderId', ({ params }) => broker.orderByClientId(params.symbol, params.clientOrderId));
app.get('/orders', () => broker.openOrders());
app.get('/positions', () => broker.positions());
app.get('/switch', () => {
  const { halted, reason } = killSwitch.state();
  return { halted, reason };
});

await app.listen({ port: Number(port), host: '127.0.0.1' });
console.log(`listening ${app.server.address().port}`);
