/** The broker port over a simulated connection to the paper venue: a refusal is told from a doubt, as the real adapter tells them apart. */
import { type Broker, type BrokerCapabilities, BrokerRejectedError, BrokerUnavailableError } from '../../broker/broker.js';
import type { Sender, VenueAnswer, VenueCommand } from '../../venue/engine/state.js';
import { offAbort, onAbort } from '../kernel/abort.js';
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

export function brokerOver(link: Link<VenueRequest, VenueAnswer>, line: BrokerLineParts): Broker {
  const { account, timeoutMs, source } = line;
  let closed = false;
  const texts = new Map<VenueCommand['kind'], string>();
  const textOf = (kind: VenueCommand['kind']): string => {
    const text = texts.get(kind) ?? `${source} ${kind}`;
    texts.set(kind, text);
    return text;
  };
  // One promise for each call: whoever waits for it may be told sooner that it was aborted, and what was sent goes on.
  const expect = <K extends VenueAnswer['kind']>(
    kind: K,
    what: string,
    command: VenueCommand,
    signal?: AbortSignal,
  ): Promise<Answered<K>> =>
    new Promise((resolve, reject) => {
      if (closed || signal?.aborted === true) return reject(new BrokerRejectedError('other', `${what}: not sent`));
      const abort = () => reject(new BrokerUnavailableError(`${what}: the call was aborted`));
      if (signal !== undefined) onAbort(signal, abort);
      const request = { command, sender: { source, sentMs: line.sentMs() } };
      link.send(request, { what: textOf(command.kind), timeoutMs, waitMs: 0 }, (end) => {
        if (signal !== undefined) offAbort(signal, abort);
        if (end.answered) {
          if (isKind(end.reply, kind)) resolve(end.reply);
          else reject(unexpected(what, end.reply));
        } else if (!end.sent && command.kind === 'submit') reject(new BrokerRejectedError('other', `not sent: ${end.detail}`));
        else reject(new BrokerUnavailableError(`${what}: ${end.detail}`));
      });
    });
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
    submit: (order, signal) =>
      expect('report', `order ${order.clientOrderId}`, { kind: 'submit', order: { account, ...order } }, signal).then(
        ({ report }) => report,
      ),
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
