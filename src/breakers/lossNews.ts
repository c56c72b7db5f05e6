/** What a ledger has to tell of its results, read and checked before any of it is taken. */
import type { BreakerResult, ResultChange, ResultNews, ResultSource } from '../messages/result.js';
import { type CountedResult, readResult } from './lossResult.js';
import type { CheckResult } from './result.js';

/** The results of one strategy in one ledger, or those of none. */
export interface SourceList {
  readonly strategy: string | null;
  /** Up to where its news were read; undefined: all of it is asked for. */
  place: number | undefined;
  wasRead: boolean;
}

export interface ListRead {
  readonly list: SourceList;
  readonly place: number | undefined;
  readonly isWhole: boolean;
  readonly forgottenThroughMs: number;
  /** Up to here there may be results that were never heard of. */
  readonly missedThroughMs: number;
  readonly changes: readonly { readonly withdrawn: readonly BreakerResult[]; readonly told: readonly CountedResult[] }[];
}

function newsOf(source: ResultSource, { strategy, place }: SourceList): ResultNews {
  if (source.news !== undefined) return source.news({ strategy }, place);
  return { isWhole: true, changes: [{ withdrawn: [], told: source.closes({ strategy }) }] };
}

function readAll(results: ResultChange['told'], latestWallMs: number): readonly CountedResult[] | CheckResult {
  const read: CountedResult[] = [];
  for (const given of results) {
    const result = readResult(given, latestWallMs);
    if ('triggered' in result) return result;
    read.push(result);
  }
  return read;
}

/** The news of one list, or the fault of one of its results. */
export function readNews(source: ResultSource, list: SourceList, latestWallMs: number): ListRead | CheckResult {
  const { changes, isWhole = false, place, forgottenThroughMs = -Infinity } = newsOf(source, list);
  const read: { withdrawn: readonly BreakerResult[]; told: readonly CountedResult[] }[] = [];
  for (const { withdrawn, told } of changes) {
    const results = readAll(told, latestWallMs);
    if ('triggered' in results) return results;
    read.push({ withdrawn, told: results });
  }
  // Whoever has read all of it before and asks for it again has heard of what it has let go of.
  const missedThroughMs = isWhole && !(list.wasRead && list.place === undefined) ? forgottenThroughMs : -Infinity;
  return { list, place, isWhole, forgottenThroughMs, missedThroughMs, changes: read };
}
