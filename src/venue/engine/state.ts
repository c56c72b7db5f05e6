/** The venue's whole state as plain values: accounts, orders, what is still to happen, and the record of what did. */
import type { OrderReport, OrderStatus, OrderType, PositionSide, Side, WorkingOrder } from '../../broker/broker.js';
import type { AccountAnswer, CancelRequest, RejectReason, SubmitRequest, VenueEvent, VenueSwitches } from '../../brokers/paper/wire.js';
import type { Bar } from '../bars.js';

/** `delayed`: accepted, may not execute yet. `queued`: waits for the market to open. `resting`: waits for its price. */
export type OrderPhase = 'delayed' | 'queued' | 'resting' | 'executing' | 'ended';

/** Replaced as a whole at each change, so that an older one stays what it was. */
export interface VenueOrder {
  readonly orderId: string;
  readonly account: string;
  readonly source: string;
  readonly clientOrderId: string | undefined;
  readonly symbol: string;
  readonly positionSide: PositionSide;
  readonly side: Side;
  readonly type: OrderType;
  readonly units: number;
  readonly filledUnits: number;
  readonly reduceOnly: boolean;
  readonly limitPrice: number | undefined;
  readonly stopPrice: number | undefined;
  readonly status: OrderStatus;
  readonly phase: OrderPhase;
  readonly slicesFilled: number;
  readonly expiresAtMs: number | undefined;
  readonly reason: string | undefined;
}

export interface Account {
  readonly name: string;
  /** Signed units by {@link positionKey}; no entry is zero. */
  readonly positions: Map<string, HeldPosition>;
  readonly orders: Map<string, VenueOrder>;
  /** Ids of orders that have not ended, in the order of acceptance. */
  readonly open: Set<string>;
  readonly byClientId: Map<string, string>;
}

export interface HeldPosition {
  readonly symbol: string;
  readonly positionSide: PositionSide;
  readonly units: number;
}

/** One change of a book and what stood there before: stale reads walk back over these. */
export type Change =
  | { readonly atMs: number; readonly account: string; readonly key: string; readonly positionBefore: HeldPosition | undefined }
  | { readonly atMs: number; readonly account: string; readonly orderId: string; readonly orderBefore: VenueOrder | undefined };

export interface Sender {
  readonly source: string;
  /** On the venue's own monotonic clock; absent where sender and venue share no clock. */
  readonly sentMs?: number;
  /** Where the sender believes that it is. */
  readonly environment?: string;
}

export type VenueCommand =
  | { readonly kind: 'submit'; readonly order: SubmitRequest }
  | { readonly kind: 'cancel'; readonly cancel: CancelRequest }
  | { readonly kind: 'positions'; readonly account: string }
  | { readonly kind: 'orders'; readonly account: string }
  | { readonly kind: 'order'; readonly account: string; readonly symbol: string; readonly clientOrderId: string }
  | { readonly kind: 'account'; readonly account: string };

export interface PendingRequest {
  readonly requestId: number;
  readonly command: VenueCommand;
  readonly sender: Sender;
  readonly arrivedMs: number;
}

export type VenueAnswer =
  | { readonly kind: 'report'; readonly report: OrderReport }
  | { readonly kind: 'cancel'; readonly result: 'canceled' | 'already_terminal' | 'not_found' }
  | { readonly kind: 'positions'; readonly positions: readonly (Omit<HeldPosition, 'units'> & { quantity: number; markPrice: number })[] }
  | { readonly kind: 'orders'; readonly orders: readonly WorkingOrder[] }
  | { readonly kind: 'query'; readonly report: OrderReport | undefined }
  | { readonly kind: 'account'; readonly account: AccountAnswer }
  | { readonly kind: 'rejected'; readonly reason: RejectReason; readonly detail: string }
  /** Wrong account or environment. */
  | { readonly kind: 'turned_away'; readonly detail: string }
  | { readonly kind: 'failed'; readonly detail: string }
  /** Nothing is ever sent back. */
  | { readonly kind: 'silence' };

export interface Answered {
  readonly requestId: number;
  readonly answer: VenueAnswer;
}

/** What is still to happen, and when. */
export type Effect =
  | { readonly kind: 'handle'; readonly request: PendingRequest }
  | { readonly kind: 'activate' | 'slice' | 'expire'; readonly account: string; readonly orderId: string }
  | { readonly kind: 'bar'; readonly run: number };

export interface DueEffect {
  readonly dueMs: number;
  readonly order: number;
  readonly effect: Effect;
}

export interface Replay {
  readonly bars: readonly Bar[];
  index: number;
  /** Counts starts and holds, so that a bar scheduled by an earlier one is void. */
  run: number;
  running: boolean;
  untilIndex: number;
  intervalMs: number;
}

// Omit over a union must be taken member by member, or only the common fields survive.
type Unstamped<E> = E extends VenueEvent ? Omit<E, 'seq' | 'atMs'> : never;
export type NewEvent = Unstamped<VenueEvent>;

export interface VenueState {
  readonly environment: string;
  switches: VenueSwitches;
  readFailuresUntilMs: number;
  readonly accounts: Map<string, Account>;
  readonly events: VenueEvent[];
  changes: Change[];
  /** Sorted by due time, then by order of scheduling. */
  readonly due: DueEffect[];
  readonly faultCounts: Map<string, number>;
  scheduled: number;
  requests: number;
  orders: number;
  readonly replay: Replay;
}

export function positionKey(symbol: string, positionSide: PositionSide): string {
  return `${symbol}|${positionSide}`;
}

export function openAccount(state: VenueState, name: string): Account {
  const known = state.accounts.get(name);
  if (known !== undefined) return known;
  const account: Account = { name, positions: new Map(), orders: new Map(), open: new Set(), byClientId: new Map() };
  state.accounts.set(name, account);
  return account;
}

export const INITIAL_SWITCHES: VenueSwitches = {
  positionMode: 'one_way',
  latencyMs: 0,
  readLatencyMs: 0,
  executionDelayMs: 0,
  partialFills: { slices: 1, intervalMs: 0, endAfter: null },
  rejects: { next: 0, everyNth: 0, sources: [], symbols: [], reason: 'other' },
  expireMarketOrders: { next: 0, everyNth: 0, sources: [], symbols: [] },
  dropAnswers: { next: 0, everyNth: 0, sources: [], symbols: [], of: ['submit', 'cancel'] },
  loseOrders: { next: 0, everyNth: 0, sources: [], symbols: [] },
  readFailures: { next: 0, everyNth: 0, sources: [], symbols: [], forMs: 0, of: ['positions', 'orders'] },
  staleReadsMs: 0,
  declaredReadLagMs: null,
  reduceOnly: 'enforced',
  clientOrderIds: 'forever',
  orderExpiryMs: null,
  defaultMinQuantity: 0,
  minQuantities: {},
  closedMarket: { symbols: [], orders: 'reject' },
  frozen: false,
};

export interface VenueStateOptions {
  readonly environment: string;
  readonly accounts: readonly string[];
  /** At least one. */
  readonly bars: readonly Bar[];
}

export function createVenueState({ environment, accounts, bars }: VenueStateOptions): VenueState {
  const state: VenueState = {
    environment,
    switches: INITIAL_SWITCHES,
    readFailuresUntilMs: -Infinity,
    accounts: new Map(),
    events: [],
    changes: [],
    due: [],
    faultCounts: new Map(),
    scheduled: 0,
    requests: 0,
    orders: 0,
    replay: { bars, index: 0, run: 0, running: false, untilIndex: bars.length - 1, intervalMs: 1 },
  };
  for (const name of accounts) openAccount(state, name);
  return state;
}
