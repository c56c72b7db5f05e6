/** The broker port on a paper venue: a refusal is told from a doubt, and no doubt is ever read as "nothing there". */
import type { z } from 'zod';
import {
  type AccountIdentity,
  type Broker,
  type BrokerCapabilities,
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
import { createHttpClient, type HttpCall, type HttpOutcome } from './http.js';
import { checkPaperBrokerOptions, type PaperBrokerOptions } from './options.js';
import * as wire from './wire.js';

export interface PaperBroker extends Broker {
  /** A call surely settles within so many milliseconds. */
  readonly timeoutMs: number;
  [Symbol.asyncDispose](): Promise<void>;
}

function unavailable(what: string, outcome: HttpOutcome): BrokerUnavailableError {
  if (!outcome.answered) return new BrokerUnavailableError(`${what}: ${outcome.detail}`, { cause: outcome.cause });
  const said = wire.errorAnswer.safeParse(outcome.body);
  return new BrokerUnavailableError(`${what}: the venue answered ${outcome.status}${said.success ? `, ${said.data.error}` : ''}`);
}

function answerOf<S extends z.ZodType>(what: string, schema: S, outcome: HttpOutcome): z.output<S> {
  if (!outcome.answered || outcome.status !== 200) throw unavailable(what, outcome);
  const parsed = schema.safeParse(outcome.body);
  if (!parsed.success) throw new BrokerUnavailableError(`${what}: the venue's answer is malformed`, { cause: parsed.error });
  return parsed.data;
}

/** A rejection only where that is certain: the venue said so in full, or the order never left this process. */
function rejectionOf(outcome: HttpOutcome): BrokerRejectedError | undefined {
  if (!outcome.answered) {
    return outcome.sent === 'no' ? new BrokerRejectedError('other', `not sent: ${outcome.detail}`, { cause: outcome.cause }) : undefined;
  }
  if (outcome.status < 400 || outcome.status >= 500) return undefined;
  const said = wire.errorAnswer.safeParse(outcome.body);
  if (!said.success || said.data.reason === undefined) return undefined;
  return new BrokerRejectedError(said.data.reason, said.data.error);
}

function capabilitiesOf(answer: wire.AccountAnswer): BrokerCapabilities {
  return {
    reduceOnly: answer.reduceOnly,
    clientOrderIds: answer.clientOrderIds,
    ...(answer.orderExpiryMs === undefined ? {} : { orderExpiryMs: answer.orderExpiryMs }),
    readLagMs: answer.readLagMs,
    minQuantity: (symbol) => answer.minQuantities[symbol] ?? answer.defaultMinQuantity,
  };
}

// Parsed optional fields may hold `undefined`, which the port's types do not allow.
function orderReport({ clientOrderId, reason, ...rest }: z.output<typeof wire.orderReport>): OrderReport {
  return { ...rest, ...(clientOrderId === undefined ? {} : { clientOrderId }), ...(reason === undefined ? {} : { reason }) };
}

function workingOrder({ clientOrderId, limitPrice, stopPrice, ...rest }: z.output<typeof wire.workingOrder>): WorkingOrder {
  return {
    ...rest,
    ...(clientOrderId === undefined ? {} : { clientOrderId }),
    ...(limitPrice === undefined ? {} : { limitPrice }),
    ...(stopPrice === undefined ? {} : { stopPrice }),
  };
}

function positionOf({ markPrice, ...rest }: z.output<typeof wire.position>): Position {
  return { ...rest, ...(markPrice === undefined ? {} : { markPrice }) };
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
        [wire.SOURCE_HEADER]: source,
        ...(environment === undefined ? {} : { [wire.ENVIRONMENT_HEADER]: environment }),
        [wire.SENT_HEADER]: String(clock.monotonicMs()),
        [wire.BOOT_HEADER]: hostIdentity().bootId,
      },
    });

  const accountInfo = async (what: string, signal: AbortSignal | undefined) =>
    answerOf(what, wire.accountAnswer, await call('GET', `/v1/account?${ofAccount}`, signal));

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
    capabilities: async (signal) => capabilitiesOf(await accountInfo('capabilities', signal)),
    async positions(signal): Promise<readonly Position[]> {
      const outcome = await call('GET', `/v1/positions?${ofAccount}`, signal);
      return answerOf('positions', wire.positionsAnswer, outcome).positions.map(positionOf);
    },
    async openOrders(signal): Promise<readonly WorkingOrder[]> {
      const outcome = await call('GET', `/v1/orders?${ofAccount}`, signal);
      return answerOf('open orders', wire.ordersAnswer, outcome).orders.map(workingOrder);
    },
    async submit(order: OrderRequest, signal): Promise<OrderReport> {
      const outcome = await call('POST', '/v1/orders', signal, { account, ...order });
      const rejection = rejectionOf(outcome);
      if (rejection !== undefined) throw rejection;
      return orderReport(answerOf(`order ${order.clientOrderId}`, wire.orderReport, outcome));
    },
    async cancel({ orderId, symbol }, signal): Promise<CancelResult> {
      const outcome = await call('POST', '/v1/cancel', signal, { account, symbol, orderId });
      return answerOf(`cancel of ${orderId}`, wire.cancelAnswer, outcome).result;
    },
    async orderByClientId(symbol, clientOrderId, signal): Promise<Query> {
      const query = `${ofAccount}&symbol=${encodeURIComponent(symbol)}&clientOrderId=${encodeURIComponent(clientOrderId)}`;
      const answer = answerOf(`query of ${clientOrderId}`, wire.queryAnswer, await call('GET', `/v1/order?${query}`, signal));
      return answer.found ? { found: true, report: orderReport(answer.report) } : { found: false };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
