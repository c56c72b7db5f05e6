// What a caller is told. Refused: surely not sent. Rejected: sent, and not taken. Anything else: unknown, and to be asked about.
import { answerOf, isFailflatError } from 'failflat';

export async function sendOutcome(reply, admission) {
  if (!admission.ok) {
    const { status, headers, body } = answerOf(admission);
    return reply.code(status).headers(headers).send(body);
  }
  try {
    return reply.send(await admission.outcome);
  } catch (error) {
    if (isFailflatError(error) && error.code === 'broker_rejected') {
      return reply.code(422).send({ error: error.code, reason: error.message });
    }
    // It may be at the venue. Whoever sends it again under a new id may have it twice.
    return reply.code(504).send({ error: 'order_outcome_unknown', reason: error.message });
  }
}
