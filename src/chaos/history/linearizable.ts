/**
 * Whether a history of the halt register has one order of its operations that explains every answer and keeps each within its time. At
 * each answer, every way in which what is under way can have taken place is kept; where none is left, there is no such order.
 */
import { type RegisterOperation, type RegisterValue, surelyBy } from './operation.js';

interface State {
  readonly active: boolean;
  /** Sorted. */
  readonly halts: readonly string[];
  /** Re-arms of which the first step has been taken, and nothing since. */
  readonly clearedBy: number | undefined;
}

/** One step that takes effect at one moment. */
interface Step {
  readonly invokedMs: number;
  /** Infinity: it may be taken at any later moment. */
  readonly endedMs: number;
  /** It must have been taken by its end. */
  readonly certain: boolean;
  /** The state behind it; undefined: it cannot be taken here. */
  readonly apply: (state: State) => State | undefined;
}

/** A way in which everything can have gone so far: the state, and what of that under way has been taken already. */
interface Way {
  readonly state: State;
  readonly taken: ReadonlySet<number>;
}

/** More ways than this are not told apart: the history counts as one that cannot be explained. */
const WAYS_MAX = 20_000;

const sameHalts = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((id, index) => id === b[index]);

function addHalt(haltId: string): Step['apply'] {
  return ({ halts }) => ({ active: false, halts: [...new Set([...halts, haltId])].toSorted(), clearedBy: undefined });
}

function readStep(value: RegisterValue): Step['apply'] {
  const halts = value.halts.toSorted();
  return (state) => (state.active === value.active && sameHalts(state.halts, halts) ? state : undefined);
}

function stepsOf(operation: RegisterOperation, number: number): readonly Step[] {
  const { outcome, invokedMs } = operation;
  const endedMs = surelyBy(operation);
  const within = { invokedMs, endedMs, certain: outcome === 'ok' };
  if (operation.kind === 'read')
    return outcome === 'ok' && operation.value !== undefined ? [{ ...within, apply: readStep(operation.value) }] : [];
  if (operation.kind === 'halt') return outcome === 'fail' ? [] : [{ ...within, apply: addHalt(operation.haltId) }];
  const clear: Step['apply'] = ({ halts }) =>
    halts.every((id) => operation.clears.includes(id)) ? { active: false, halts: [], clearedBy: number } : undefined;
  const activate: Step['apply'] = (state) => (state.clearedBy === number ? { active: true, halts: [], clearedBy: undefined } : undefined);
  // One that failed may have come as far as its first step.
  return outcome === 'fail'
    ? [{ ...within, apply: clear }]
    : [
        { ...within, apply: clear },
        { ...within, apply: activate },
      ];
}

/** Halts that no client of the history has made: each was added once, by the time at which it was first read. */
function haltsOfOthers(history: readonly RegisterOperation[], { halts }: RegisterValue): readonly Step[] {
  const own = new Set([...halts, ...history.flatMap((operation) => (operation.kind === 'halt' ? [operation.haltId] : []))]);
  const firstMs = new Map<string, number>();
  for (const operation of history) {
    if (operation.kind !== 'read' || operation.outcome !== 'ok') continue;
    for (const id of operation.value?.halts ?? [])
      if (!own.has(id)) firstMs.set(id, Math.min(firstMs.get(id) ?? Infinity, operation.endedMs));
  }
  return [...firstMs].map(([id, endedMs]) => ({ invokedMs: -Infinity, endedMs, certain: true, apply: addHalt(id) }));
}

const keyOf = ({ state, taken }: Way): string =>
  `${state.active}|${state.halts.join(',')}|${state.clearedBy ?? ''}|${[...taken].toSorted((a, b) => a - b).join(',')}`;

/** Takes what is under way in every order until the one that ends has been taken. */
function waysPast(ways: readonly Way[], ending: number, steps: readonly Step[], open: ReadonlySet<number>): readonly Way[] {
  const certain = steps[ending]?.certain === true;
  const past = new Map<string, Way>();
  const seen = new Set(ways.map(keyOf));
  const waiting = [...ways];
  for (let way = waiting.pop(); way !== undefined; way = waiting.pop()) {
    if (way.taken.has(ending) || !certain) {
      const done = { state: way.state, taken: new Set([...way.taken].filter((number) => number !== ending)) };
      past.set(keyOf(done), done);
      if (way.taken.has(ending)) continue;
    }
    for (const number of open) {
      const state = way.taken.has(number) ? undefined : steps[number]?.apply(way.state);
      if (state === undefined) continue;
      const next = { state, taken: new Set([...way.taken, number]) };
      const key = keyOf(next);
      if (seen.has(key) || seen.size > WAYS_MAX) continue;
      seen.add(key);
      waiting.push(next);
    }
  }
  return [...past.values()];
}

export function isLinearizable(history: readonly RegisterOperation[], initial: RegisterValue): boolean {
  const steps = [...history.flatMap(stepsOf), ...haltsOfOthers(history, initial)];
  // At one moment what begins comes before what ends: that allows more orders, never fewer.
  const moments = steps
    .flatMap(({ invokedMs, endedMs }, number) => [
      { atMs: invokedMs, number, ends: false },
      ...(endedMs === Infinity ? [] : [{ atMs: endedMs, number, ends: true }]),
    ])
    .toSorted((a, b) => a.atMs - b.atMs || Number(a.ends) - Number(b.ends));
  const open = new Set<number>();
  let ways: readonly Way[] = [{ state: { ...initial, halts: initial.halts.toSorted(), clearedBy: undefined }, taken: new Set() }];
  for (const { number, ends } of moments) {
    if (!ends) {
      open.add(number);
      continue;
    }
    ways = waysPast(ways, number, steps, open);
    open.delete(number);
    if (ways.length === 0) return false;
  }
  return true;
}
