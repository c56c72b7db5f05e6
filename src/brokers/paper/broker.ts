/** The broker port on a paper venue: a refusal is told from a doubt, and no doubt is ever read as "nothing there". */
import {
  type AccountIdentity,
  type Broker,
  BrokerRejectedError,
  BrokerUnavailableError,
  type CancelResult,
  type OrderReport,
  type OrderRequest,
  type Position,
  type Query,
  type WorkingOrder,
} from '../../broker/broker.js';
import { hostIdentity } from '../../host.js';
import * as answers from './answers.js';
import * as headers from './headers.js';
import { createHttpClient, type HttpCall, type HttpOutcome } from './http.js';
import { checkPaperBrokerOptions, type PaperBrokerOptions } from './options.js';

export interface PaperBroker extends Broker {
  /** A call surely settles within so many milliseconds. */
  readonly timeoutMs: number;
  [Symbol.asyncDispose](): Promise<void>;
}

function unavailable(what: string, outcome: HttpOutcome): BrokerUnavailableError {
  if (!outcome.answered) return new BrokerUnavailableError(`${what}: ${outcome.detail}`, { cause: outcome.cause });
  const said = answers.decodeAnswer(answers.errorAnswer, outcome.body);
  return new BrokerUnavailableError(`${what}: the venue answered ${outcome.status}${said.ok ? `, ${said.value.error}` : ''}`);
}

function answerOf<T>(what: string, decoder: answers.Decoder<T>, outcome: HttpOutcome): T {
  if (!outcome.answered || outcome.status !== 200) throw unavailable(what, outcome);
  const decoded = answers.decodeAnswer(decoder, outcome.body);
  if (!decoded.ok) throw new BrokerUnavailableError(`${what}: the venue's answer is malformed`, { cause: decoded.malformed });
  return decoded.value;
}

/** A rejection only where that is certain: the venue said so in full, or the order never left this process. */
function rejectionOf(outcome: HttpOutcome): BrokerRejectedError | undefined {
  if (!outcome.answered) {
    return outcome.sent === 'no' ? new BrokerRejectedError('other', `not sent: ${outcome.detail}`, { cause: outcome.cause }) : undefined;
  }
  if (outcome.status < 400 || outcome.status >= 500) return undefined;
  const said = answers.decodeAnswer(answers.errorAnswer, outcome.body);
  if (!said.ok || said.value.reason === undefined) return undefined;
  return new BrokerRejectedError(said.value.reason, said.value.error);
}

/** Every call settles within `timeoutMs`. Throws a ConfigurationError for a wrong option. */
export function createPaperBroker(options: PaperBrokerOptions): PaperBroker {
  const { url, account, environment, timeoutMs, source, clock } = checkPaperBrokerOptions(options);
  const http = createHttpClient(url, clock);
  const ofAccount = `account=${encodeURIComponent(account)}`;

  const call = (method: HttpCall['method'], path: string, signal: AbortSignal | undefined, body?: object): Promise<HttpOutcome> =>
    http.call({
      method,
      path,
      timeoutMs,
      signal,
      ...(body === undefined ? {} : { body }),
      headers: {
        [headers.SOURCE_HEADER]: source,
        ...(environment === undefined ? {} : { [headers.ENVIRONMENT_HEADER]: environment }),
        [headers.SENT_HEADER]: String(clock.monotonicMs()),
        [headers.BOOT_HEADER]: hostIdentity().bootId,
      },
    });

  const accountInfo = async (what: string, signal: AbortSignal | undefined) =>
    answerOf(what, answers.accountAnswer, await call('GET', `/v1/account?${ofAccount}`, signal));

  const close = (): Promise<void> => {
    http.close();
    return Promise.resolve();
  };

  return {
    timeoutMs,
    async identity(signal): Promise<AccountIdentity> {
      const answer = await accountInfo('identity', signal);
      return { account: answer.account, environment: answer.environment };
    },
    capabilities: async (signal) => (await accountInfo('capabilities', signal)).capabilities,
    async positions(signal): Promise<readonly Position[]> {
      const outcome = await call('GET', `/v1/positions?${ofAccount}`, signal);
      return answerOf('positions', answers.positionsAnswer, outcome);
    },
    async openOrders(signal): Promise<readonly WorkingOrder[]> {
      const outcome = await call('GET', `/v1/orders?${ofAccount}`, signal);
      return answerOf('open orders', answers.ordersAnswer, outcome);
    },
    async submit(order: OrderRequest, signal): Promise<OrderReport> {
      const outcome = await call('POST', '/v1/orders', signal, { account, ...order });
      const rejection = rejectionOf(outcome);
      if (rejection !== undefined) throw rejection;
      return answerOf(`order ${order.clientOrderId}`, answers.orderReport, outcome);
    },
    async cancel({ orderId, symbol }, signal): Promise<CancelResult> {
      const outcome = await call('POST', '/v1/cancel', signal, { account, symbol, orderId });
      return answerOf(`cancel of ${orderId}`, answers.cancelAnswer, outcome);
    },
    async orderByClientId(symbol, clientOrderId, signal): Promise<Query> {
      const query = `${ofAccount}&symbol=${encodeURIComponent(symbol)}&clientOrderId=${encodeURIComponent(clientOrderId)}`;
      return answerOf(`query of ${clientOrderId}`, answers.queryAnswer, await call('GET', `/v1/order?${query}`, signal));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
