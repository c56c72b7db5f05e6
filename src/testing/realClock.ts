/** Catches a strategy under test that reads or waits on the real clock: in virtual time that is a bug of the test, and it cannot replay. */

export interface RealClockTrap {
  /** The functions that were called, each once. */
  readonly used: ReadonlySet<string>;
  remove(): void;
}

export class RealClockUsedError extends Error {}

const TRAPPED: readonly (readonly [owner: object, name: string])[] = [
  [globalThis, 'setTimeout'],
  [globalThis, 'setInterval'],
  [Date, 'now'],
  [Math, 'random'],
];

/** Replaces them until {@link RealClockTrap.remove}. Whoever calls one meanwhile gets a {@link RealClockUsedError}. */
export function trapRealClock(): RealClockTrap {
  const used = new Set<string>();
  const undo = TRAPPED.map(([owner, name]) => {
    const before: unknown = Reflect.get(owner, name);
    Reflect.set(owner, name, () => {
      used.add(name);
      throw new RealClockUsedError(`${name} of the real world was called in virtual time: use the clock or the random of the tools`);
    });
    return () => Reflect.set(owner, name, before);
  });
  return {
    used,
    remove: () => {
      for (const restore of undo.toReversed()) restore();
    },
  };
}
