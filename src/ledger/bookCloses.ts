/** The closes of one position, kept up as its results come, change and go: the fills of one order are one close. */
import type { CloseChange } from './closeLog.js';
import { groupOf } from './closes.js';
import type { Close, RealisedResult } from './result.js';

type Parts = readonly RealisedResult[];

const namesIn = (results: Parts): Set<string> => new Set(results.flatMap(({ orderId }) => (orderId === undefined ? [] : [orderId])));

/** Those of one list that are not, word for word, in the other. */
function notIn(closes: readonly Close[], others: readonly Close[]): Close[] {
  const texts = new Set(others.map((close) => JSON.stringify(close)));
  return closes.filter((close) => !texts.has(JSON.stringify(close)));
}

export class BookCloses {
  /** By order, oldest first. */
  readonly #parts = new Map<string, Parts>();

  constructor(results: Parts) {
    this.#put(results);
  }

  /** The newest results were `before` and are `after` now. Which closes have changed. */
  change(before: Parts, after: Parts): CloseChange {
    const names = namesIn([...before, ...after]);
    const closesBefore = this.#closesOf(names, before);
    for (const name of namesIn(before)) {
      const gone = before.filter(({ orderId }) => orderId === name).length;
      this.#set(name, (this.#parts.get(name) ?? []).slice(0, -gone));
    }
    this.#put(after);
    const closesAfter = this.#closesOf(names, after);
    return { withdrawn: notIn(closesBefore, closesAfter), told: notIn(closesAfter, closesBefore) };
  }

  /** The oldest results are no longer kept. */
  drop(oldest: Parts): void {
    for (const { orderId } of oldest) if (orderId !== undefined) this.#set(orderId, (this.#parts.get(orderId) ?? []).slice(1));
  }

  #put(results: Parts): void {
    for (const result of results) {
      if (result.orderId !== undefined) this.#parts.set(result.orderId, [...(this.#parts.get(result.orderId) ?? []), result]);
    }
  }

  #set(name: string, parts: Parts): void {
    if (parts.length === 0) this.#parts.delete(name);
    else this.#parts.set(name, parts);
  }

  /** Of these orders, and of the results among these that belong to none; oldest first. */
  #closesOf(names: ReadonlySet<string>, results: Parts): Close[] {
    const orders = new Map([...names].map((name) => [this.#parts.get(name)?.at(-1), this.#parts.get(name) ?? []]));
    // Orders whose last part is older than all of these results come first.
    const older = [...orders].filter(([last]) => last !== undefined && !results.includes(last));
    const here = results.map((result) => [result, result.orderId === undefined ? [result] : orders.get(result)] as const);
    return [...older, ...here].flatMap(([last, parts]) => (last === undefined || parts === undefined ? [] : [groupOf(parts, last)]));
  }
}
