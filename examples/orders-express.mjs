// An order service on Express. Stop it with SIGTERM while an order is in flight: the order is answered, new ones get 503.
import express from 'express';
import { answerOf, attachHttp, guardOrderSubmission, handleSignals, onShutdown } from 'failflat';

// Stands for your broker's client: it answers after as many milliseconds as the order says.
const broker = {
  send: ({ id, takesMs = 50 }) => new Promise((resolve) => setTimeout(() => resolve({ id, status: 'filled' }), takesMs)),
};
const submit = guardOrderSubmission((order) => broker.send(order), { label: (order) => order.id });

const app = express();
app.use(express.json());
app.post('/orders', (request, response, next) => {
  const admission = submit.trySubmit(request.body);
  if (admission.ok) {
    admission.outcome.then((fill) => response.json(fill), next);
    return;
  }
  const { status, headers, body } = answerOf(admission);
  response.status(status).set(headers).json(body);
});
app.get('/orders', (_request, response) => response.json([]));

handleSignals();
onShutdown(({ reason }) => console.log(`closed: ${reason}`));
const server = app.listen(Number(process.argv[2] ?? 3_000), '127.0.0.1', () => console.log(`listening ${server.address().port}`));
attachHttp(server);
