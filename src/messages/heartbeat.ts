/** `exit_brain:heartbeat`: the exit brain's proof of progress. */
import { type Decoded, decodeWith, encode, type Fields } from './fields.js';

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

export function decodeBrainBeat(fields: Fields): Decoded<BrainBeat> {
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
