/** `exit_brain:heartbeat`: the exit brain's proof of progress. */
import { type Decoded, decodeOriginal, decodeWith, encode, type FieldReader, type Fields, isOriginal } from './fields.js';
import { DEFAULT_ACCOUNT } from './panicClose.js';

export const EXIT_BRAIN_HEARTBEAT = 'exit_brain:heartbeat';

/** `GOODBYE` is the last beat of a planned end: the next generation must be beating already. */
export type BrainStatus = 'OK' | 'DEGRADED' | 'GOODBYE';

export interface BrainBeat {
  readonly serviceId: string;
  readonly account: string;
  /** One life of the process: unique, new at each start. */
  readonly generation: string;
  /** Rises by one with each beat of a generation. */
  readonly sequence: number;
  /** Rises with each completed evaluation: the proof that the loop, not a timer, is alive. */
  readonly decisionSequence: number;
  readonly status: BrainStatus;
  readonly reason?: string;
  readonly activePositions: number;
  /** The brain's wall clock, for people. */
  readonly lastDecisionWallMs: number;
  /** How long the last evaluation took, in milliseconds. */
  readonly latencyMs: number;
  readonly wallMs: number;
}

export function encodeBrainBeat(beat: BrainBeat): Fields {
  return encode({
    service_id: beat.serviceId,
    account: beat.account,
    generation: beat.generation,
    sequence: beat.sequence,
    decision_sequence: beat.decisionSequence,
    status: beat.status,
    reason: beat.reason,
    active_positions: beat.activePositions,
    last_decision_ts: Math.round(beat.lastDecisionWallMs),
    latency_ms: Math.round(beat.latencyMs),
    ts: Math.round(beat.wallMs),
  });
}

/** A beat in the original format counts only if its sender stamped it so close to the moment at which the bus took it. */
export const ORIGINAL_STAMP_TOLERANCE_MS = 5_000;
/** The one generation of all lives of a brain that cannot tell them apart. */
const ORIGINAL_GENERATION = 'original';

/**
 * `appendedWallMs` is when the bus took the record. Without it one in the original format is refused: its stamp is then
 * nobody's word but the sender's.
 */
export function decodeBrainBeat(fields: Fields, appendedWallMs?: number): Decoded<BrainBeat> {
  if (isOriginal(fields) && appendedWallMs !== undefined) return decodeOriginalBeat(fields, appendedWallMs);
  return decodeWith(fields, (reader) => {
    const reason = reader.optional('reason');
    return {
      serviceId: reader.text('service_id'),
      account: reader.text('account'),
      generation: reader.text('generation'),
      sequence: reader.count('sequence'),
      decisionSequence: reader.count('decision_sequence'),
      status: reader.oneOf('status', ['OK', 'DEGRADED', 'GOODBYE']),
      ...(reason === undefined ? {} : { reason }),
      activePositions: reader.count('active_positions'),
      lastDecisionWallMs: reader.count('last_decision_ts'),
      latencyMs: reader.amount('latency_ms'),
      wallMs: reader.count('ts'),
    };
  });
}

/** Its stamps stand in for what it does not count: a beat is news when it is stamped later, a decision when it was made later. */
function decodeOriginalBeat(fields: Fields, appendedWallMs: number): Decoded<BrainBeat> {
  return decodeOriginal(fields, (reader) => {
    const stampedMs = stampOf(reader, appendedWallMs);
    const decidedMs = reader.moment('last_decision_ts');
    return {
      serviceId: reader.text('service_id'),
      account: reader.optional('account') ?? DEFAULT_ACCOUNT,
      generation: ORIGINAL_GENERATION,
      sequence: stampedMs,
      decisionSequence: decidedMs,
      status: reader.oneOf('status', ['OK', 'DEGRADED']),
      activePositions: reader.count('active_positions'),
      lastDecisionWallMs: decidedMs,
      latencyMs: reader.optional('latency_ms') === undefined ? 0 : reader.amount('latency_ms'),
      wallMs: stampedMs,
    };
  });
}

/** A stamp from the future would make every later beat old news, and one from the past is a beat that was kept and sent late. */
function stampOf(reader: FieldReader, appendedWallMs: number): number {
  const stampedMs = reader.moment('ts');
  const offMs = Math.round(stampedMs - appendedWallMs);
  if (Math.abs(offMs) <= ORIGINAL_STAMP_TOLERANCE_MS) return stampedMs;
  const off = `${Math.abs(offMs)} ms ${offMs > 0 ? 'after' : 'before'} the bus took it`;
  return reader.fail(`ts: stamped ${off}, at most ${ORIGINAL_STAMP_TOLERANCE_MS} are accepted`);
}
