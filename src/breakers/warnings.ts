/** Says when a limit comes near: once at each level on the way up, and again only after the figure has been low. */
import type { CheckResult } from './result.js';

/** Shares of a limit. */
export const WARNING_LEVELS = [0.5, 0.75, 0.9] as const;

export type WarningLevel = (typeof WARNING_LEVELS)[number];

/** The highest level that a share of a limit has reached. */
export function warningLevel(usage: number): WarningLevel | undefined {
  return WARNING_LEVELS.findLast((level) => usage >= level);
}

export class WarningBook<Name extends string> {
  readonly #told = new Map<Name, WarningLevel>();

  /** The level that people have to hear of now, if any. What triggers is told as such, not as a warning. */
  take(name: Name, { triggered, details: { usage } }: CheckResult): WarningLevel | undefined {
    if (triggered || typeof usage !== 'number') return undefined;
    const level = warningLevel(usage);
    if (level === undefined) {
      this.#told.delete(name);
      return undefined;
    }
    const told = this.#told.get(name);
    if (told !== undefined && level <= told) return undefined;
    this.#told.set(name, level);
    return level;
  }
}
