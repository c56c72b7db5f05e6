/** Maps each HTTP request onto the venue, and each answer of the venue onto an HTTP answer. */
import * as wire from '../brokers/paper/wire.js';
import type { Clock } from '../clock.js';
import { hostIdentity } from '../host.js';
import { patchSwitches, seedPositions } from './engine/administration.js';
import { controlReplay, replayAnswer } from './engine/market.js';
import type { Sender, VenueAnswer, VenueCommand } from './engine/state.js';
import { parseWith } from './parse.js';
import type { VenueRuntime } from './runtime.js';

/** How many events one answer holds at most. */
export const EVIDENCE_PAGE = 2_000;
const MAX_BARS_PER_ANSWER = 1_000;

export interface HttpQuestion {
  readonly sender: Sender;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: object;
}

export interface RouteContext {
  readonly runtime: VenueRuntime;
  readonly clock: Clock;
}

/** `freezes: false` marks what is answered even while the venue is frozen: whoever froze it must be able to thaw and to look. */
export interface Route {
  readonly freezes: boolean;
  readonly answer: (context: RouteContext, question: HttpQuestion, send: (answer: HttpAnswer) => void) => void;
}

function httpAnswer(answer: Exclude<VenueAnswer, { kind: 'silence' }>): HttpAnswer {
  switch (answer.kind) {
    case 'report':
      return { status: 200, body: answer.report };
    case 'cancel':
      return { status: 200, body: { result: answer.result } };
    case 'positions':
      return { status: 200, body: { positions: answer.positions } };
    case 'orders':
      return { status: 200, body: { orders: answer.orders } };
    case 'query':
      return { status: 200, body: answer.report === undefined ? { found: false } : { found: true, report: answer.report } };
    case 'account':
      return { status: 200, body: answer.account };
    case 'rejected':
      return { status: 422, body: { error: answer.detail, reason: answer.reason } };
    case 'turned_away':
      return { status: 404, body: { error: answer.detail, reason: 'other' } };
    default:
      return { status: 500, body: { error: answer.detail } };
  }
}

function trading(command: (question: HttpQuestion) => VenueCommand): Route {
  return {
    freezes: true,
    answer: ({ runtime }, question, send) =>
      runtime.request(command(question), question.sender, (answer) => {
        if (answer.kind !== 'silence') send(httpAnswer(answer));
      }),
  };
}

function administration(answer: (context: RouteContext, question: HttpQuestion) => object): Route {
  return { freezes: false, answer: (context, question, send) => send({ status: 200, body: answer(context, question) }) };
}

function barsAfter({ runtime }: RouteContext, since: number): wire.BarsAnswer {
  const { index, bars } = runtime.state.replay;
  const shown = bars.slice(since + 1, Math.min(index + 1, since + 1 + MAX_BARS_PER_ANSWER));
  return { index, count: bars.length, bars: shown.map((bar, offset) => ({ index: since + 1 + offset, ...bar })) };
}

const barsRoute: Route = {
  freezes: true,
  answer: (context, { query }, send) => {
    const { since, waitMs } = parseWith(wire.barsQuery, query, 'query');
    const reply = () => context.runtime.whenThawed(() => send({ status: 200, body: barsAfter(context, since) }));
    if (since < context.runtime.state.replay.index || waitMs === 0) reply();
    else context.runtime.onNextBar(reply, waitMs);
  },
};

function evidence({ runtime, clock }: RouteContext, { query }: HttpQuestion): object {
  const { since } = parseWith(wire.evidenceQuery, query, 'query');
  // Event n stands at index n - 1.
  const events = runtime.state.events.slice(since, since + EVIDENCE_PAGE);
  const more = since + events.length < runtime.state.events.length;
  return { bootId: hostIdentity().bootId, nowMs: clock.monotonicMs(), more, events };
}

/** Keyed by method and path. */
export const ROUTES: ReadonlyMap<string, Route> = new Map([
  ['POST /v1/orders', trading(({ body }) => ({ kind: 'submit', order: parseWith(wire.submitRequest, body, 'body') }))],
  ['POST /v1/cancel', trading(({ body }) => ({ kind: 'cancel', cancel: parseWith(wire.cancelRequest, body, 'body') }))],
  ['GET /v1/positions', trading(({ query }) => ({ kind: 'positions', ...parseWith(wire.accountQuery, query, 'query') }))],
  ['GET /v1/orders', trading(({ query }) => ({ kind: 'orders', ...parseWith(wire.accountQuery, query, 'query') }))],
  ['GET /v1/order', trading(({ query }) => ({ kind: 'order', ...parseWith(wire.orderQuery, query, 'query') }))],
  ['GET /v1/account', trading(({ query }) => ({ kind: 'account', ...parseWith(wire.accountQuery, query, 'query') }))],
  ['GET /bars', barsRoute],
  [
    'GET /time',
    administration(({ runtime, clock }) => ({
      nowMs: clock.monotonicMs(),
      bootId: hostIdentity().bootId,
      lastSeq: runtime.state.events.length,
    })),
  ],
  ['GET /evidence', administration(evidence)],
  ['GET /admin/switches', administration(({ runtime }) => runtime.state.switches)],
  [
    'POST /admin/switches',
    administration(({ runtime }, { body }) => {
      const patch = parseWith(wire.switchesPatch, body, 'body');
      runtime.administer((state, nowMs) => patchSwitches(state, patch, nowMs));
      return runtime.state.switches;
    }),
  ],
  ['GET /admin/replay', administration(({ runtime }) => replayAnswer(runtime.state))],
  [
    'POST /admin/replay',
    administration(({ runtime }, { body }) => {
      const request = parseWith(wire.replayRequest, body, 'body');
      return runtime.administer((state, nowMs) => controlReplay(state, request, nowMs));
    }),
  ],
  [
    'POST /admin/positions',
    administration(({ runtime }, { body }) => {
      const request = parseWith(wire.seedRequest, body, 'body');
      runtime.administer((state, nowMs) => seedPositions(state, request, nowMs));
      return { seeded: request.positions.length };
    }),
  ],
]);
