/** Decides whether trading may be armed again, and says beforehand what that will and will not do. */
import { BOOK_AGE_MAX_MS, type PeerBeat } from '../messages/peerBeat.js';
import type { TradingState } from '../messages/tradingState.js';
import { printable } from '../printable.js';
import type { Fleet } from './fleet.js';
import { type Holders, unclearRefusals } from './holders.js';
import type { OpenIncident } from './incidents.js';
import type { Sighting } from './sightings.js';

/** A position as the venue shows it; below zero is short. */
export interface BookPosition {
  readonly account: string;
  readonly symbol: string;
  readonly quantity: number;
}

export interface RearmRequest {
  /** Who arms: a person's name. */
  readonly by: string;
  readonly reason: string;
  /** The ids of all uncleared halts, and of all open incidents. Empty for a system that was never armed. */
  readonly clears: readonly string[];
  /** The positions that the operator knows of and accepts. Default: none, that is, flat. */
  readonly acknowledged?: readonly BookPosition[];
  /** Accounts to arm. Default: those with a live worker. */
  readonly accounts?: readonly string[];
  /** Exit brains that must beat from now on. Default: those that beat. */
  readonly services?: readonly string[];
  /** Holders that are known to be gone although they never said so. */
  readonly ignoreHolders?: readonly string[];
}

/** What was observed before a re-arm. */
export interface RearmFacts {
  readonly state: TradingState;
  readonly version: number;
  readonly fleet: Fleet;
  readonly holders: Holders;
  readonly incidents: readonly OpenIncident[];
  /** When the newest of all panics was written; undefined: there is none. */
  readonly newestPanicMs?: number | undefined;
  /** The venue's positions, read for this purpose; undefined where nobody gave a way to read them. */
  readonly book: readonly BookPosition[] | undefined;
  /** Why reading the book failed, if it was tried. */
  readonly bookProblem?: string;
}

export interface RearmPlan {
  readonly fromEpoch: number;
  /** Accounts of the epoch that ends: the scope of its panics that name none. */
  readonly fromAccounts: readonly string[];
  /** Up to when panics that name no epoch belong to an epoch before `fromEpoch`, and to one before `toEpoch`. */
  readonly fromPanicsUntilMs?: number;
  readonly panicsUntilMs?: number;
  readonly toEpoch: number;
  readonly version: number;
  readonly by: string;
  readonly reason: string;
  readonly accounts: readonly string[];
  readonly services: readonly string[];
  readonly clearedHalts: readonly string[];
  readonly supersededIncidents: readonly string[];
  readonly expectedHolders: readonly string[];
  readonly ignoredHolders: readonly string[];
  readonly positions: readonly BookPosition[];
  /** Why it is refused. Empty: it may begin. */
  readonly refusals: readonly string[];
}

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)].sort();
const positionKey = ({ account, symbol }: BookPosition): string => `${account} ${symbol}`;

/** The sum of each symbol of an account, without those that come to nothing. */
function net(positions: readonly BookPosition[]): ReadonlyMap<string, BookPosition> {
  const sums = new Map<string, BookPosition>();
  for (const position of positions) {
    const known = sums.get(positionKey(position));
    sums.set(positionKey(position), { ...position, quantity: position.quantity + (known?.quantity ?? 0) });
  }
  for (const [key, { quantity }] of sums) if (quantity === 0) sums.delete(key);
  return sums;
}

const shown = ({ account, symbol, quantity }: BookPosition): string => `${account} ${symbol} ${quantity}`;

/** Where a book differs from what was acknowledged. NaN equals nothing, so it never passes. */
export function bookDifferences(book: readonly BookPosition[], acknowledged: readonly BookPosition[], exact: boolean): readonly string[] {
  const held = net(book);
  const known = net(acknowledged);
  const differences: string[] = [];
  for (const [key, position] of held) {
    const accepted = known.get(key)?.quantity;
    if (accepted === undefined) differences.push(`${shown(position)} is open and not acknowledged`);
    else if (accepted !== position.quantity) differences.push(`${shown(position)} is open, but ${accepted} was acknowledged`);
  }
  if (!exact) return differences;
  for (const [key, position] of known) if (!held.has(key)) differences.push(`${shown(position)} was acknowledged, but is not open`);
  return differences;
}

/** Without a read of its own, a re-arm believes a live worker that says "no positions" of a book that it read just now. */
function bookFromWorkers(workers: readonly Sighting<PeerBeat>[], accounts: readonly string[]): readonly BookPosition[] | string {
  for (const account of accounts) {
    const beats = workers.map(({ value }) => value.worker).filter((worker) => worker?.account === account && worker.identityMatches);
    const fresh = beats.filter((worker) => worker?.bookAgeMs !== undefined && worker.bookAgeMs <= BOOK_AGE_MAX_MS);
    if (fresh.length === 0) return `no worker has read the book of ${account} within ${BOOK_AGE_MAX_MS} ms`;
    if (!fresh.every((worker) => worker?.positions === 0)) return `the worker of ${account} sees open positions: the book must be read`;
  }
  return [];
}

function bookRefusals(facts: RearmFacts, request: RearmRequest, accounts: readonly string[]): readonly string[] {
  const kinds = new Set(facts.state.halts.map((halt) => halt.kind));
  if (facts.state.epoch > 0 && kinds.size === 0) return [];
  if (facts.bookProblem !== undefined) return [`the venue's book could not be read: ${facts.bookProblem}`];
  const book = facts.book ?? bookFromWorkers(facts.fleet.workers, accounts);
  if (typeof book === 'string') return [`the venue's book was not read: ${book}`];
  const onlyExit = kinds.size === 1 && kinds.has('exit');
  return bookDifferences(book, request.acknowledged ?? [], !onlyExit);
}

function namingRefusals(facts: RearmFacts, request: RearmRequest): readonly string[] {
  const refusals: string[] = [];
  const named = new Set(request.clears);
  for (const halt of facts.state.halts) {
    if (!named.delete(halt.id)) refusals.push(`halt ${halt.id} (${halt.kind}, by ${halt.by}: ${halt.reason}) is not named`);
  }
  for (const { incident, reason } of facts.incidents) {
    if (!named.delete(incident)) refusals.push(`incident ${incident} (${reason}) is not completed, and not named`);
  }
  for (const id of named) refusals.push(`${id} is neither an uncleared halt nor an open incident`);
  return refusals;
}

function livenessRefusals(facts: RearmFacts, accounts: readonly string[], services: readonly string[]): readonly string[] {
  const refusals: string[] = [];
  const { brains, watchdogs, workers } = facts.fleet;
  if (services.length === 0) refusals.push('no exit brain beats, and no service was named');
  for (const service of services) if (!brains.some(({ name }) => name === service)) refusals.push(`exit brain ${service} does not beat`);
  if (watchdogs.length === 0) refusals.push('no watchdog beats');
  if (accounts.length === 0) refusals.push('no exit worker beats, and no account was named');
  for (const account of accounts) {
    if (!workers.some(({ value }) => value.worker?.account === account)) refusals.push(`no exit worker of ${account} beats`);
  }
  return refusals;
}

/** Every reason why this re-arm is refused, in words for the operator. */
export function rearmRefusal(
  facts: RearmFacts,
  request: RearmRequest,
  accounts: readonly string[],
  services: readonly string[],
): readonly string[] {
  const refusals: string[] = [];
  if (request.by.trim() === '') refusals.push('it must be said who arms (by)');
  if (request.reason.trim() === '') refusals.push('it must be said why (reason)');
  if (facts.state.mode === 'ACTIVE') refusals.push(`trading is ACTIVE at epoch ${facts.state.epoch}: there is nothing to arm`);
  return [
    ...refusals,
    ...namingRefusals(facts, request),
    ...bookRefusals(facts, request, accounts),
    ...livenessRefusals(facts, accounts, services),
    ...unclearRefusals(facts.holders.unclear, request.ignoreHolders ?? []),
  ];
}

/** Those that the request names, or else those with a live worker. */
export function accountsToArm(fleet: Fleet, request: RearmRequest): readonly string[] {
  return unique(request.accounts ?? fleet.workers.flatMap(({ value }) => (value.worker === undefined ? [] : [value.worker.account])));
}

/** What this re-arm has seen never belongs to the new epoch, whatever the bus forgets. */
function panicsKnown({ state, newestPanicMs }: RearmFacts): Pick<RearmPlan, 'panicsUntilMs'> {
  const untilMs = Math.max(newestPanicMs ?? -Infinity, state.panicsUntilMs ?? -Infinity);
  return untilMs === -Infinity ? {} : { panicsUntilMs: untilMs };
}

/** Pure: facts and a request in, a plan out. A plan with refusals must not be carried out. */
export function planRearm(facts: RearmFacts, request: RearmRequest): RearmPlan {
  const accounts = accountsToArm(facts.fleet, request);
  const liveServices = facts.fleet.brains.filter(({ value }) => value.status !== 'GOODBYE').map(({ name }) => name);
  const services = unique(request.services ?? liveServices);
  const ignored = request.ignoreHolders ?? [];
  const unreleased = [...facts.holders.standings].filter(([, { released }]) => !released).map(([holderId]) => holderId);
  const unclear = facts.holders.unclear.map(({ name }) => name);
  return {
    fromEpoch: facts.state.epoch,
    fromAccounts: facts.state.accounts,
    ...(facts.state.panicsUntilMs === undefined ? {} : { fromPanicsUntilMs: facts.state.panicsUntilMs }),
    ...panicsKnown(facts),
    toEpoch: facts.state.epoch + 1,
    version: facts.version,
    by: request.by,
    reason: request.reason,
    accounts,
    services,
    clearedHalts: facts.state.halts.map((halt) => halt.id),
    supersededIncidents: facts.incidents.map(({ incident }) => incident),
    expectedHolders: unreleased.filter((holderId) => !ignored.includes(holderId)),
    ignoredHolders: unique([...unreleased, ...unclear].filter((holderId) => ignored.includes(holderId))),
    positions: facts.book ?? [],
    refusals: rearmRefusal(facts, request, accounts, services),
  };
}

const listed = (values: readonly string[]): string => (values.length === 0 ? 'none' : values.join(', '));

/** The plan in words, for the operator to read before it is carried out. */
export function describeRearm(plan: RearmPlan, dwellMs: number): string {
  const lines = [
    `Re-arm from epoch ${plan.fromEpoch} to epoch ${plan.toEpoch}, by ${plan.by}: ${plan.reason}`,
    'It will',
    `  clear these halts: ${listed(plan.clearedHalts)}`,
    `  give up these open incidents for good: ${listed(plan.supersededIncidents)}`,
    `  arm these accounts: ${listed(plan.accounts)}`,
    `  expect these exit brains to beat from now on: ${listed(plan.services)}`,
    `  stay REDUCING for ${dwellMs} ms, until watchdog, workers and brains have shown progress there`,
    `  wait for these holders to attest the new epoch: ${listed(plan.expectedHolders)}`,
    'It will not',
    '  send, cancel or close any order',
    `  close these open positions: ${listed(plan.positions.map(shown))}`,
    '  reset a kill switch or a strategy breaker',
    `  wait for these holders, which were named as gone: ${listed(plan.ignoredHolders)}`,
    '  arm anything if one of the above fails: it then falls back to HALTED and says why',
  ];
  if (plan.refusals.length > 0) lines.push('It is refused, because', ...plan.refusals.map((refusal) => `  ${refusal}`));
  return lines.map(printable).join('\n');
}
