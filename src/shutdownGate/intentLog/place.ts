/** Tells a directory from another that took its name. */
import { stat } from 'node:fs/promises';

export interface Place {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly birthtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** Rejects with what the system says where there is none. */
export async function placeOf(path: string): Promise<Place> {
  const { dev, ino, birthtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return { dev, ino, birthtimeNs, ctimeNs };
}

/**
 * Inode numbers are used again, so the time of birth counts as well. Where the system does not know it, it gives that of the last
 * change in its place, which is another one after each file that was made: then it says nothing.
 */
export function isSamePlace(before: Place, now: Place): boolean {
  if (before.dev !== now.dev || before.ino !== now.ino) return false;
  return now.birthtimeNs === now.ctimeNs || before.birthtimeNs === now.birthtimeNs;
}
