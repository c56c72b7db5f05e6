/** The broker port over a simulated connection to the paper venue: a refusal is told from a doubt, as the real adapter tells them apart. */
import { type Broker, type BrokerCapabilities, BrokerRejectedError, BrokerUnavailableError } from '../../broker/broker.js';
import type { Sender, VenueAnswer, VenueCommand } from '../../venue/engine/state.js';
import type { Link } from '../kernel/link.js';

export interface VenueRequest {
  readonly command: VenueCommand;
  readonly sender: Sender;
}

export interface BrokerLineParts {
  readonly account: string;
  readonly timeoutMs: number;
  readonly source: string;
  readonly sentMs: () => number;
}

type Answered<K extends VenueAnswer['kind']> = Extract<VenueAnswer, { kind: K }>;

function unexpected(what: string, answer: VenueAnswer): Error {
  if (answer.kind === 'rejected') return new BrokerRejectedError(answer.reason, answer.detail);
  if (answer.kind === 'turned_away') return new BrokerRejectedError('other', answer.detail);
  return new BrokerUnavailableError(`${what}: ${'detail' in answer ? answer.detail : answer.kind}`);
}

/** Nobody waits any more; what was sent goes on. */
function untilAborted<T>(promise: Promise<T>, what: string, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(new BrokerUnavailableError(`${what}: the call was aborted`));
    signal.addEventListener('abort', abort, { once: true });
    const settled = () => signal.removeEventListener('abort', abort);
    promise.then(resolve, reject).then(settled, settled);
  });
}

export function brokerOver(link: Link<VenueRequest, VenueAnswer>, line: BrokerLineParts): Broker {
  const { account, timeoutMs, source } = line;
  let closed = false;
  const ask = async (what: string, command: VenueCommand, signal?: AbortSignal): Promise<VenueAnswer> => {
    if (closed || signal?.aborted === true) throw new BrokerRejectedError('other', `${what}: not sent`);
    const call = link.call({ command, sender: { source, sentMs: line.sentMs() } }, `${source} ${command.kind}`, timeoutMs);
    const end = await untilAborted(call, what, signal);
    if (end.answered) return end.reply;
    if (!end.sent && command.kind === 'submit') throw new BrokerRejectedError('other', `not sent: ${end.detail}`);
    throw new BrokerUnavailableError(`${what}: ${end.detail}`);
  };
  const expect = async <K extends VenueAnswer['kind']>(
    kind: K,
    what: string,
    command: VenueCommand,
    signal?: AbortSignal,
  ): Promise<Answered<K>> => {
    const answer = await ask(what, command, signal);
    if (isKind(answer, kind)) return answer;
    throw unexpected(what, answer);
  };
  return {
    async identity(signal) {
      const { account: found } = await expect('account', 'identity', { kind: 'account', account }, signal);
      return { account: found.account, environment: found.environment };
    },
    async capabilities(signal): Promise<BrokerCapabilities> {
      const { account: found } = await expect('account', 'capabilities', { kind: 'account', account }, signal);
      return {
        reduceOnly: found.reduceOnly,
        clientOrderIds: found.clientOrderIds,
        ...(found.orderExpiryMs === undefined ? {} : { orderExpiryMs: found.orderExpiryMs }),
        readLagMs: found.readLagMs,
        minQuantity: (symbol) => found.minQuantities[symbol] ?? found.defaultMinQuantity,
      };
    },
    positions: async (signal) => (await expect('positions', 'positions', { kind: 'positions', account }, signal)).positions,
    openOrders: async (signal) => (await expect('orders', 'open orders', { kind: 'orders', account }, signal)).orders,
    submit: async (order, signal) =>
      (await expect('report', `order ${order.clientOrderId}`, { kind: 'submit', order: { account, ...order } }, signal)).report,
    cancel: async ({ orderId, symbol }, signal) =>
      (await expect('cancel', `cancel of ${orderId}`, { kind: 'cancel', cancel: { account, symbol, orderId } }, signal)).result,
    async orderByClientId(symbol, clientOrderId, signal) {
      const { report } = await expect('query', `query of ${clientOrderId}`, { kind: 'order', account, symbol, clientOrderId }, signal);
      return report === undefined ? { found: false } : { found: true, report };
    },
    close: () => {
      closed = true;
      return Promise.resolve();
    },
  };
}

function isKind<K extends VenueAnswer['kind']>(answer: VenueAnswer, kind: K): answer is Answered<K> {
  return answer.kind === kind;
}
