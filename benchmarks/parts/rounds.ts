/** Rounds in which every candidate is measured once, in an order that is drawn anew each time. */
import { seededRandom } from '../../src/random.js';
import { nowMs } from './samples.js';

/** What one candidate needs, in whatever unit; `round` is -1 for the one that only warms up. */
export type Candidates = Readonly<Record<string, () => Promise<number>>>;

/** The figures of each candidate, a round after the other. */
export async function shuffledRounds(rounds: number, candidates: Candidates): Promise<ReadonlyMap<string, readonly number[]>> {
  const random = seededRandom(20_150_824);
  const figures = new Map<string, number[]>(Object.keys(candidates).map((name) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    const order = Object.entries(candidates)
      .map(([name, measure]) => ({ name, measure, place: random.next() }))
      .toSorted((a, b) => a.place - b.place);
    for (const { name, measure } of order) {
      const figure = await measure();
      if (round >= 0) figures.get(name)?.push(figure);
    }
  }
  return figures;
}

/** Each figure over that of `base` in the same round: rounds of a busy machine are slow for all. */
export function ratiosOf(figures: ReadonlyMap<string, readonly number[]>, name: string, base: string): readonly number[] {
  const bases = figures.get(base) ?? [];
  return (figures.get(name) ?? []).map((figure, round) => figure / (bases[round] ?? Number.NaN));
}

/** The time of one of `count` calls that are awaited one after the other, in ns. */
export async function nanosOfEach(count: number, call: () => unknown): Promise<number> {
  const startedMs = nowMs();
  for (let index = 0; index < count; index += 1) await call();
  return ((nowMs() - startedMs) * 1e6) / count;
}

/** The same for calls that answer at once. */
export function nanosOfEachNow(count: number, call: () => unknown): number {
  const startedMs = nowMs();
  for (let index = 0; index < count; index += 1) call();
  return ((nowMs() - startedMs) * 1e6) / count;
}
