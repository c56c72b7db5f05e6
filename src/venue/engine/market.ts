/** Replays bars: starts, steps and holds, and lets each new bar meet the resting orders. */
import type { z } from 'zod';
import type { ReplayAnswer, replayRequest } from '../../brokers/paper/wire.js';
import { ConfigurationError } from '../../errors.js';
import { markPrice, offerPrices } from './execution.js';
import { record, schedule } from './record.js';
import type { VenueState } from './state.js';

export function replayAnswer(state: VenueState): ReplayAnswer {
  const { index, bars, running } = state.replay;
  return { index, count: bars.length, running, close: markPrice(state) };
}

export function showBar(state: VenueState, index: number, nowMs: number): void {
  const bar = state.replay.bars[index];
  if (bar === undefined) return;
  state.replay.index = index;
  record(state, nowMs, { kind: 'bar', index, close: bar.close });
  for (const account of state.accounts.values()) {
    for (const orderId of account.open) offerPrices(state, account, orderId, bar, nowMs);
  }
}

/** One bar of a running replay. Void if the replay was started anew or held since it was scheduled. */
export function nextBar(state: VenueState, run: number, nowMs: number): void {
  const { replay } = state;
  if (run !== replay.run || !replay.running) return;
  showBar(state, replay.index + 1, nowMs);
  if (replay.index >= replay.untilIndex) replay.running = false;
  else schedule(state, nowMs + replay.intervalMs, { kind: 'bar', run });
}

/** Throws a ConfigurationError for an index outside the bars. */
export function controlReplay(state: VenueState, request: z.output<typeof replayRequest>, nowMs: number): ReplayAnswer {
  const { replay } = state;
  const last = replay.bars.length - 1;
  if (request.action === 'start') {
    const untilIndex = request.untilIndex ?? last;
    if (request.index > last) throw new ConfigurationError('index', request.index, `must be at most ${last}, the last bar`);
    if (untilIndex < request.index || untilIndex > last) {
      throw new ConfigurationError('untilIndex', untilIndex, `must be between index = ${request.index} and ${last}, the last bar`);
    }
    replay.run += 1;
    replay.intervalMs = request.intervalMs;
    replay.untilIndex = untilIndex;
    replay.running = request.index < untilIndex;
    showBar(state, request.index, nowMs);
    if (replay.running) schedule(state, nowMs + request.intervalMs, { kind: 'bar', run: replay.run });
    return replayAnswer(state);
  }
  replay.run += 1;
  replay.running = false;
  if (request.action === 'step') {
    if (replay.index + request.by > last)
      throw new ConfigurationError('by', request.by, `must be at most ${last - replay.index}, the bars that are left`);
    for (let count = 0; count < request.by; count++) showBar(state, replay.index + 1, nowMs);
  }
  return replayAnswer(state);
}
