// The same service on Fastify.
import { answerOf, guardOrderSubmission, handleSignals, onShutdown } from 'failflat';
import failflat from 'failflat/fastify';
import fastify from 'fastify';

// Stands for your broker's client: it answers after as many milliseconds as the order says.
const broker = {
  send: ({ id, takesMs = 50 }) => new Promise((resolve) => setTimeout(() => resolve({ id, status: 'filled' }), takesMs)),
};
const submit = guardOrderSubmission((order) => broker.send(order), { label: (order) => order.id });

const app = fastify();
await app.register(failflat);
app.post('/orders', async (request, reply) => {
  const admission = submit.trySubmit(request.body);
  if (admission.ok) return admission.outcome;
  const { status, headers, body } = answerOf(admission);
  return reply.code(status).headers(headers).send(body);
});
app.get('/orders', async () => []);

handleSignals();
onShutdown(({ reason }) => console.log(`closed: ${reason}`));
await app.listen({ port: Number(process.argv[2] ?? 3_000), host: '127.0.0.1' });
console.log(`listening ${app.server.address().port}`);
