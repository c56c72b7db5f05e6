/** What travels between the paper venue and its clients: one schema for both ends. Quantities here are plain decimals. */
import { z } from 'zod';

const MAX_QUANTITY = 50_000_000;
const DAY_MS = 86_400_000;

const symbol = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}$/);
const account = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);
const clientOrderId = z.string().min(1).max(200);
const side = z.enum(['buy', 'sell']);
const positionSide = z.enum(['net', 'long', 'short']);
const orderType = z.enum(['market', 'limit', 'stop']);
const orderStatus = z.enum(['working', 'filled', 'canceled', 'rejected', 'expired']);
const quantity = z.number().positive().max(MAX_QUANTITY);
const price = z.number().positive();
const durationMs = z.number().min(0).max(DAY_MS);

export const rejectReason = z.enum(['market_closed', 'too_small', 'reduce_only', 'duplicate_client_order_id', 'other']);

// ---- trading ------------------------------------------------------------------------------------------------

export const submitRequest = z.strictObject({
  account,
  clientOrderId: clientOrderId.optional(),
  symbol,
  positionSide: positionSide.default('net'),
  side,
  type: orderType,
  quantity,
  reduceOnly: z.boolean().default(false),
  limitPrice: price.optional(),
  stopPrice: price.optional(),
});
export const cancelRequest = z.strictObject({ account, symbol, orderId: z.string().min(1).max(100) });
export const accountQuery = z.object({ account });
export const orderQuery = z.object({ account, symbol, clientOrderId });

export const orderReport = z.object({
  orderId: z.string(),
  clientOrderId: z.string().optional(),
  status: orderStatus,
  filledQuantity: z.number(),
  reason: z.string().optional(),
});
export const cancelAnswer = z.object({ result: z.enum(['canceled', 'already_terminal', 'not_found']) });
export const queryAnswer = z.discriminatedUnion('found', [
  z.object({ found: z.literal(true), report: orderReport }),
  z.object({ found: z.literal(false) }),
]);
export const position = z.object({ symbol, positionSide, quantity: z.number(), markPrice: z.number().optional() });
export const positionsAnswer = z.object({ positions: z.array(position) });
export const workingOrder = z.object({
  orderId: z.string(),
  clientOrderId: z.string().optional(),
  symbol,
  positionSide,
  side,
  type: orderType,
  quantity: z.number(),
  filledQuantity: z.number(),
  reduceOnly: z.boolean(),
  limitPrice: z.number().optional(),
  stopPrice: z.number().optional(),
});
export const ordersAnswer = z.object({ orders: z.array(workingOrder) });
export const accountAnswer = z.object({
  account,
  environment: z.string(),
  positionMode: z.enum(['one_way', 'hedge']),
  reduceOnly: z.enum(['enforced', 'rejected']),
  clientOrderIds: z.enum(['forever', 'while_open', 'none']),
  orderExpiryMs: z.number().optional(),
  readLagMs: z.number(),
  defaultMinQuantity: z.number(),
  minQuantities: z.record(z.string(), z.number()),
});
/** `reason` is present exactly where the venue surely did not take the order. */
export const errorAnswer = z.object({ error: z.string(), reason: rejectReason.optional() });

// ---- market data --------------------------------------------------------------------------------------------

export const bar = z.object({
  index: z.int(),
  openMs: z.number(),
  open: price,
  high: price,
  low: price,
  close: price,
  volume: z.number().min(0),
});
export const barsQuery = z.object({
  since: z.coerce.number().int().min(-1).default(-1),
  waitMs: z.coerce.number().min(0).max(30_000).default(10_000),
});
export const barsAnswer = z.object({ index: z.int(), count: z.int(), bars: z.array(bar) });

// ---- administration -----------------------------------------------------------------------------------------

const faultShape = {
  /** How many of the selected requests it strikes. */
  next: z.union([z.int().min(0), z.literal('all')]).default(0),
  /** Strikes every nth of the selected requests; 0: off. */
  everyNth: z.int().min(0).default(0),
  /** Empty: any. */
  sources: z.array(z.string()).default([]),
  symbols: z.array(symbol).default([]),
};
export const faultSwitch = z.strictObject(faultShape);

export const switchesSchema = z.strictObject({
  positionMode: z.enum(['one_way', 'hedge']),
  /** From the arrival of an order or a cancel until it takes effect and its answer leaves. */
  latencyMs: durationMs,
  readLatencyMs: durationMs,
  /** From the acceptance of an order, which is answered at once, until it may execute. */
  executionDelayMs: durationMs,
  /** An order fills in so many equal slices; after `endAfter` of them, if given, the rest expires. */
  partialFills: z.strictObject({
    slices: z.int().min(1).max(1_000),
    intervalMs: durationMs.default(0),
    endAfter: z.int().min(1).nullable().default(null),
  }),
  rejects: z.strictObject({ ...faultShape, reason: rejectReason.default('other') }),
  /** Market orders end `expired` with nothing filled. */
  expireMarketOrders: faultSwitch,
  /** The request takes effect, no answer is ever sent. */
  dropAnswers: z.strictObject({ ...faultShape, of: z.array(z.enum(['submit', 'cancel'])).default(['submit', 'cancel']) }),
  /** The order never reaches the books, and no answer is ever sent. */
  loseOrders: faultSwitch,
  /** Reads answer 500: the next n, every nth, or all for `forMs` from now. */
  readFailures: z.strictObject({
    ...faultShape,
    forMs: durationMs.default(0),
    of: z.array(z.enum(['positions', 'orders', 'order'])).default(['positions', 'orders']),
  }),
  /** Reads answer with the book as it was so long ago. */
  staleReadsMs: z.number().min(0).max(60_000),
  /** What the venue says of its read lag; null: the truth. */
  declaredReadLagMs: durationMs.nullable(),
  reduceOnly: z.enum(['enforced', 'ignored', 'rejected']),
  clientOrderIds: z.enum(['forever', 'while_open', 'never']),
  orderExpiryMs: z.number().min(1).max(DAY_MS).nullable(),
  defaultMinQuantity: z.number().min(0).max(MAX_QUANTITY),
  minQuantities: z.record(symbol, z.number().min(0).max(MAX_QUANTITY)),
  closedMarket: z.strictObject({
    symbols: z.union([z.literal('all'), z.array(symbol)]),
    orders: z.enum(['reject', 'queue']).default('reject'),
  }),
  /** Connections are taken, nothing is answered; what arrives meanwhile takes effect at the thaw. */
  frozen: z.boolean(),
});
export const switchesPatch = switchesSchema.partial();

export const replayRequest = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('start'),
    index: z.int().min(0),
    intervalMs: z.number().min(1).max(DAY_MS),
    /** Holds there; default: the last bar. */
    untilIndex: z.int().min(0).optional(),
  }),
  z.strictObject({ action: z.literal('step'), by: z.int().min(1).default(1) }),
  z.strictObject({ action: z.literal('hold') }),
]);
export const replayAnswer = z.object({ index: z.int(), count: z.int(), running: z.boolean(), close: z.number() });

export const seedRequest = z.strictObject({
  account,
  /** Replaces these; others stay. Quantity 0 empties one. An account that is not there is opened. */
  positions: z.array(
    z.strictObject({ symbol, positionSide: positionSide.default('net'), quantity: z.number().min(-MAX_QUANTITY).max(MAX_QUANTITY) }),
  ),
});

export const seedAnswer = z.object({ seeded: z.int() });

export const timeAnswer = z.object({ nowMs: z.number(), bootId: z.string(), lastSeq: z.int() });

// ---- evidence -----------------------------------------------------------------------------------------------

const stamped = { seq: z.int(), atMs: z.number() };
const ofOrder = {
  ...stamped,
  account,
  source: z.string(),
  orderId: z.string(),
  clientOrderId: z.string().optional(),
  symbol: z.string(),
  positionSide,
  side,
};
export const venueEvent = z.discriminatedUnion('kind', [
  /** An order or a cancel arrived, whatever became of it. `sentMs` only where sender and venue share a boot. */
  z.object({
    ...stamped,
    kind: z.literal('request'),
    what: z.enum(['submit', 'cancel']),
    requestId: z.int(),
    account: z.string(),
    source: z.string(),
    symbol: z.string(),
    sentMs: z.number().optional(),
    clientOrderId: z.string().optional(),
    orderId: z.string().optional(),
    positionSide: positionSide.optional(),
    side: side.optional(),
    type: orderType.optional(),
    quantity: z.number().optional(),
    reduceOnly: z.boolean().optional(),
  }),
  z.object({ ...ofOrder, kind: z.literal('accepted'), requestId: z.int(), type: orderType, quantity: z.number(), reduceOnly: z.boolean() }),
  z.object({
    ...stamped,
    kind: z.literal('rejected'),
    requestId: z.int(),
    account: z.string(),
    source: z.string(),
    symbol: z.string(),
    clientOrderId: z.string().optional(),
    reason: rejectReason,
    detail: z.string(),
  }),
  z.object({
    ...ofOrder,
    kind: z.literal('fill'),
    quantity: z.number(),
    price: z.number(),
    reduceOnly: z.boolean(),
    positionBefore: z.number(),
    positionAfter: z.number(),
  }),
  z.object({ ...ofOrder, kind: z.literal('canceled'), filledQuantity: z.number() }),
  z.object({ ...ofOrder, kind: z.literal('expired'), filledQuantity: z.number(), detail: z.string() }),
  z.object({ ...ofOrder, kind: z.literal('triggered'), price: z.number() }),
  z.object({
    ...stamped,
    kind: z.literal('cancel_answered'),
    requestId: z.int(),
    account: z.string(),
    source: z.string(),
    orderId: z.string(),
    result: cancelAnswer.shape.result,
  }),
  z.object({
    ...stamped,
    kind: z.literal('read'),
    what: z.enum(['positions', 'orders', 'order']),
    account: z.string(),
    source: z.string(),
    outcome: z.enum(['answered', 'failed']),
    count: z.int(),
    /** The moment of which the answer speaks. */
    asOfMs: z.number(),
  }),
  z.object({ ...stamped, kind: z.literal('answer_dropped'), requestId: z.int(), lost: z.boolean() }),
  z.object({ ...stamped, kind: z.literal('seeded'), account, symbol, positionSide, positionBefore: z.number(), positionAfter: z.number() }),
  z.object({ ...stamped, kind: z.literal('switched'), names: z.array(z.string()), frozen: z.boolean() }),
  z.object({ ...stamped, kind: z.literal('bar'), index: z.int(), close: z.number() }),
]);
export const evidenceQuery = z.object({ since: z.coerce.number().int().min(0).default(0) });
/** Events after `since`, oldest first; `more` when there are further ones after the last of these. */
export const evidenceAnswer = z.object({ bootId: z.string(), nowMs: z.number(), more: z.boolean(), events: z.array(venueEvent) });

export type VenueSwitches = z.infer<typeof switchesSchema>;
export type VenueSwitchesPatch = z.input<typeof switchesPatch>;
export type FaultSwitch = z.infer<typeof faultSwitch>;
export type RejectReason = z.infer<typeof rejectReason>;
export type SubmitRequest = z.infer<typeof submitRequest>;
export type CancelRequest = z.infer<typeof cancelRequest>;
export type VenueEvent = z.infer<typeof venueEvent>;
export type VenueBar = z.infer<typeof bar>;
export type AccountAnswer = z.infer<typeof accountAnswer>;
export type ReplayRequest = z.input<typeof replayRequest>;
export type ReplayAnswer = z.infer<typeof replayAnswer>;
export type SeedRequest = z.input<typeof seedRequest>;
export type TimeAnswer = z.infer<typeof timeAnswer>;
export type BarsAnswer = z.infer<typeof barsAnswer>;
