/** What the trips of one strategy are after a look at the bus (pure). Whoever remembers a trip adds it again; only a reset that names it ends it. */
import type { StoredReset } from '../messages/breaker.js';
import type { Trip } from './state.js';

/** So many of the newest resets are kept. A process that slept through more of them asks for another one. */
export const KEPT_RESETS = 20;

export interface Look {
  /** What stands on the bus. */
  readonly stored: readonly Trip[];
  readonly resets: readonly StoredReset[];
  /** What is in force here. */
  readonly local: readonly Trip[];
  /** Resets that were asked for here: they end nothing here by being seen, but when whoever asked is told of it. */
  readonly own: ReadonlySet<string>;
  /** Resets that shall stand on the bus after this. */
  readonly ending: readonly StoredReset[];
}

export interface Released {
  readonly reset: StoredReset;
  readonly ids: ReadonlySet<string>;
}

export interface Merged {
  /** Tripped elsewhere. */
  readonly adopted: readonly Trip[];
  /** Reset elsewhere. */
  readonly released: readonly Released[];
  /** What shall stand on the bus. */
  readonly trips: readonly Trip[];
  readonly resets: readonly StoredReset[];
  /** False: it stands there. */
  readonly isNews: boolean;
}

export const idsOf = (trips: readonly Trip[]): ReadonlySet<string> => new Set(trips.map(({ id }) => id));

const without = (trips: readonly Trip[], ids: ReadonlySet<string>): readonly Trip[] => trips.filter(({ id }) => !ids.has(id));

function releasedBy(resets: readonly StoredReset[], held: ReadonlySet<string>): readonly Released[] {
  return resets.map((reset) => ({ reset, ids: new Set(reset.ids.filter((id) => held.has(id))) })).filter(({ ids }) => ids.size > 0);
}

export function mergeTrips({ stored, resets, local, own, ending }: Look): Merged {
  const storedIds = idsOf(stored);
  const ended = new Set(ending.flatMap(({ ids }) => ids));
  // What stands there is in force, whatever a reset says of it.
  const unstored = without(local, storedIds);
  const released = releasedBy(
    resets.filter(({ id }) => !own.has(id)),
    idsOf(unstored),
  );
  const gone = new Set([...ended, ...released.flatMap(({ ids }) => [...ids])]);
  const added = without(unstored, gone);
  const kept = without(stored, ended);
  const trips = [...kept, ...added];
  const standing = idsOf(trips);
  const keptResets = [...resets, ...ending]
    .map((reset) => ({ ...reset, ids: reset.ids.filter((id) => !standing.has(id)) }))
    .filter(({ ids }) => ids.length > 0)
    .slice(-KEPT_RESETS);
  return {
    adopted: without(kept, idsOf(local)),
    released,
    trips,
    resets: keptResets,
    isNews: ending.length > 0 || added.length > 0,
  };
}
