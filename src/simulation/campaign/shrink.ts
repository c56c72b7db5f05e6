/** Delta debugging: the smallest part of a schedule's faults that still breaks the same promise. */
import type { Fault } from '../faults/schedule.js';

/** `breaks` says whether these faults alone still do it. The result is 1-minimal: without any one of them it does not. */
export async function shrinkFaults(
  faults: readonly Fault[],
  breaks: (faults: readonly Fault[]) => Promise<boolean>,
): Promise<readonly Fault[]> {
  if (await breaks([])) return [];
  let kept = faults;
  let parts = 2;
  while (kept.length > 1) {
    const smaller = await smallerPart(kept, Math.min(parts, kept.length), breaks);
    if (smaller !== undefined) {
      kept = smaller;
      parts = 2;
    } else if (parts >= kept.length) break;
    else parts *= 2;
  }
  return kept;
}

async function smallerPart(
  faults: readonly Fault[],
  parts: number,
  breaks: (faults: readonly Fault[]) => Promise<boolean>,
): Promise<readonly Fault[] | undefined> {
  const size = Math.ceil(faults.length / parts);
  for (let from = 0; from < faults.length; from += size) {
    const rest = [...faults.slice(0, from), ...faults.slice(from + size)];
    if (rest.length > 0 && (await breaks(rest))) return rest;
  }
  return undefined;
}
