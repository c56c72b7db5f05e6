/** The venue as a function of commands and time: `receive` takes a request in, `advance` lets happen what is due and returns answers. */
import { activate, expireIfOld, fillSlice, markPrice } from './execution.js';
import { isClosed, strikes } from './faults.js';
import { nextBar } from './market.js';
import { handleCancel, handleSubmit } from './orders.js';
import { accountAnswer, handleRead } from './reads.js';
import { record, schedule, setOrder } from './record.js';
import type { Answered, Effect, PendingRequest, Sender, VenueAnswer, VenueCommand, VenueState } from './state.js';

/** Takes a request in and returns its number; `advance` answers it later. */
export function receive(state: VenueState, command: VenueCommand, sender: Sender, nowMs: number): number {
  state.requests += 1;
  const request: PendingRequest = { requestId: state.requests, command, sender, arrivedMs: nowMs };
  recordArrival(state, request);
  const { latencyMs, readLatencyMs } = state.switches;
  const waits = command.kind === 'submit' || command.kind === 'cancel' ? latencyMs : readLatencyMs;
  schedule(state, nowMs + waits, { kind: 'handle', request });
  return request.requestId;
}

function recordArrival(state: VenueState, { requestId, command, sender, arrivedMs }: PendingRequest): void {
  if (command.kind !== 'submit' && command.kind !== 'cancel') return;
  const { source, sentMs } = sender;
  const stamp = sentMs === undefined ? {} : { sentMs };
  if (command.kind === 'cancel') {
    record(state, arrivedMs, { kind: 'request', requestId, source, ...stamp, what: 'cancel', ...command.cancel });
    return;
  }
  // Field by field: an object without some of another's is dear to make, and this happens for each order.
  const { account, symbol, positionSide, side, type, quantity, reduceOnly, clientOrderId } = command.order;
  const order = { account, symbol, positionSide, side, type, quantity, reduceOnly };
  const name = clientOrderId === undefined ? {} : { clientOrderId };
  record(state, arrivedMs, { kind: 'request', requestId, source, ...stamp, what: 'submit', ...order, ...name });
}

/** When `advance` has something to do; undefined: not before the next request. A frozen venue does nothing. */
export function nextDueMs(state: VenueState): number | undefined {
  return state.switches.frozen ? undefined : state.due[0]?.dueMs;
}

export function advance(state: VenueState, nowMs: number): readonly Answered[] {
  const answered: Answered[] = [];
  for (;;) {
    const dueMs = nextDueMs(state);
    if (dueMs === undefined || dueMs > nowMs) return answered;
    const next = state.due.shift();
    if (next !== undefined) carryOut(state, next.effect, nowMs, answered);
  }
}

function carryOut(state: VenueState, effect: Effect, nowMs: number, answered: Answered[]): void {
  if (effect.kind === 'handle') {
    answered.push({ requestId: effect.request.requestId, answer: handle(state, effect.request, nowMs) });
    return;
  }
  if (effect.kind === 'bar') {
    nextBar(state, effect.run, nowMs);
    return;
  }
  const account = state.accounts.get(effect.account);
  const order = account?.orders.get(effect.orderId);
  if (account === undefined || order === undefined || order.phase === 'ended') return;
  if (effect.kind === 'expire') expireIfOld(state, account, order, nowMs);
  else if (effect.kind === 'activate') activate(state, account, order, nowMs);
  else if (isClosed(state, order.symbol)) setOrder(state, account, { ...order, phase: 'queued' }, nowMs);
  else fillSlice(state, account, order, order.limitPrice ?? markPrice(state), nowMs);
}

function handle(state: VenueState, request: PendingRequest, nowMs: number): VenueAnswer {
  const { command, sender } = request;
  const account = state.accounts.get(accountOf(command));
  if (account === undefined) return turnAway(state, request, `account = ${accountOf(command)}: is not known here`, nowMs);
  if (command.kind !== 'account' && sender.environment !== undefined && sender.environment !== state.environment) {
    return turnAway(state, request, `environment = ${sender.environment}: must be ${state.environment}`, nowMs);
  }
  if (command.kind === 'account') return { kind: 'account', account: accountAnswer(state, account) };
  if (command.kind !== 'submit' && command.kind !== 'cancel') return handleRead(state, account, request, command, nowMs);

  const symbol = command.kind === 'submit' ? command.order.symbol : command.cancel.symbol;
  if (command.kind === 'submit' && strikes(state, 'loseOrders', sender.source, symbol)) {
    record(state, nowMs, { kind: 'answer_dropped', requestId: request.requestId, lost: true });
    return { kind: 'silence' };
  }
  const dropped = state.switches.dropAnswers.of.includes(command.kind) && strikes(state, 'dropAnswers', sender.source, symbol);
  const answer =
    command.kind === 'submit'
      ? handleSubmit(state, account, request, command.order, nowMs)
      : handleCancel(state, account, request, command.cancel, nowMs);
  if (!dropped) return answer;
  record(state, nowMs, { kind: 'answer_dropped', requestId: request.requestId, lost: false });
  return { kind: 'silence' };
}

function turnAway(state: VenueState, { requestId, command, sender }: PendingRequest, detail: string, nowMs: number): VenueAnswer {
  if (command.kind === 'submit') {
    const { account, symbol, clientOrderId } = command.order;
    const named = { account, source: sender.source, symbol, ...(clientOrderId === undefined ? {} : { clientOrderId }) };
    record(state, nowMs, { kind: 'rejected', requestId, ...named, reason: 'other', detail });
  }
  return { kind: 'turned_away', detail };
}

function accountOf(command: VenueCommand): string {
  if (command.kind === 'submit') return command.order.account;
  return command.kind === 'cancel' ? command.cancel.account : command.account;
}
