/** Who may send orders, in their own last words. */
import type { Bus } from '../bus/bus.js';
import { decodeHolderReport, type HolderReport, LEASE_HOLDER } from '../messages/holder.js';
import { readAll } from './incidents.js';

export interface HolderStanding {
  readonly last: HolderReport;
  /** The highest epoch that it has attested; absent: none. */
  readonly attestedEpoch: number | undefined;
  readonly released: boolean;
}

/** The standing of each holder after its reports, in the order in which they were read. */
export function standings(reports: readonly HolderReport[]): ReadonlyMap<string, HolderStanding> {
  const found = new Map<string, HolderStanding>();
  for (const report of reports) {
    const known = found.get(report.holderId);
    const attested = report.event === 'attested' ? Math.max(report.epoch, known?.attestedEpoch ?? 0) : known?.attestedEpoch;
    found.set(report.holderId, { last: report, attestedEpoch: attested, released: report.event === 'released' });
  }
  return found;
}

/** Throws {@link BusUnavailableError} without contact. */
export async function readHolders(bus: Pick<Bus, 'read'>): Promise<ReadonlyMap<string, HolderStanding>> {
  const { values } = await readAll(bus, { stream: LEASE_HOLDER, decode: decodeHolderReport });
  return standings(values);
}
