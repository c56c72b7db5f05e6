/** Who may send orders, in their own last words. */
import type { Bus, BusRecord } from '../bus/bus.js';
import type { Decoded, Fields } from '../messages/fields.js';
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

/** Who may send orders, and cannot be understood: it may be of another version. */
export interface UnclearHolder {
  /** By which it can be named as gone: the id of the holder, or of the record where the holder is not known. */
  readonly name: string;
  readonly problem: string;
}

export interface Holders {
  readonly standings: ReadonlyMap<string, HolderStanding>;
  /** As long as nothing clearer is heard of them. */
  readonly unclear: readonly UnclearHolder[];
}

type Spoken = { readonly report: HolderReport } | { readonly unclear: UnclearHolder };

function understand(fields: Fields, { id }: Pick<BusRecord, 'id'>): Decoded<Spoken> {
  const decoded = decodeHolderReport(fields);
  const value = decoded.ok ? { report: decoded.value } : { unclear: { name: fields['holder_id'] ?? id, problem: decoded.problem } };
  return { ok: true, value };
}

/** Throws {@link BusUnavailableError} without contact. */
export async function readHolders(bus: Pick<Bus, 'read'>): Promise<Holders> {
  const { values, corrupt } = await readAll(bus, { stream: LEASE_HOLDER, decode: understand });
  const unclear = new Map<string, UnclearHolder>(corrupt.map(({ id, problem }) => [id, { name: id, problem }]));
  for (const spoken of values) {
    if ('report' in spoken) unclear.delete(spoken.report.holderId);
    else unclear.set(spoken.unclear.name, spoken.unclear);
  }
  return { standings: standings(values.flatMap((spoken) => ('report' in spoken ? [spoken.report] : []))), unclear: [...unclear.values()] };
}

/** Why nothing may be armed beside them. */
export function unclearRefusals(unclear: readonly UnclearHolder[], ignored: readonly string[]): readonly string[] {
  return unclear
    .filter(({ name }) => !ignored.includes(name))
    .map(({ name, problem }) => `holder ${name} cannot be understood, and may send orders unless it is named as gone: ${problem}`);
}
