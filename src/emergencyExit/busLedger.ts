/** The ledger of an exit on the bus: attempts are written down before they are sent, and only the owner of the claim may act. */
import type { Audit } from '../audit/audit.js';
import { type Bus, type Cursor, FROM_START, isCommitted } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { CLOSE_ATTEMPTS, type CloseAttempt, decodeCloseAttempt, encodeCloseAttempt } from '../messages/closeAttempt.js';
import type { IncidentClaim } from './claim.js';
import type { AttemptNote, ExitLedger } from './ledger.js';
import { type InheritedAttempt, SUPERSEDED_DOUBT_MS } from './legs.js';
import type { DrainView } from './plan.js';

export interface BusLedgerContext {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly claim: IncidentClaim;
  readonly incident: string;
  readonly account: string;
  readonly worker: string;
  readonly orderPrefix: string;
  readonly drain: () => DrainView;
}

export function createBusLedger(context: BusLedgerContext): ExitLedger {
  const { bus, clock, audit, claim, incident, account, worker } = context;
  return {
    orderPrefix: context.orderPrefix,
    turn: claim.token,
    mayBeRepeating: claim.token > claim.openSince,
    async inherited() {
      const attempts = await readAttempts(context);
      // Its sender may have died before its audit entry was written; the attempt itself was durable before it was sent.
      for (const { wallMs: _wall, account: _account, ended, ...details } of attempts) {
        if (ended) continue;
        void audit.record({ event: 'exit.close_inherited', cause: `sent by ${details.worker}`, incident, details });
      }
      return attempts;
    },
    async recordAttempt(note: AttemptNote) {
      const attempt: CloseAttempt = {
        incident,
        account,
        symbol: note.symbol,
        positionSide: note.positionSide,
        side: note.side,
        quantity: note.quantity,
        attempt: note.attempt,
        clientOrderId: note.clientOrderId,
        fencingToken: claim.token,
        worker,
        wallMs: clock.wallMs(),
      };
      const { symbol, positionSide, side, quantity, clientOrderId } = note;
      const details = { symbol, positionSide, side, quantity, clientOrderId, attempt: note.attempt, fencingToken: claim.token };
      void audit.record({ event: 'exit.close_attempt', cause: `${side} ${quantity} ${symbol}`, incident, details });
      const sent = await bus.append(CLOSE_ATTEMPTS, encodeCloseAttempt(attempt), { notAfterMs: claim.validUntilMs });
      return isCommitted(sent);
    },
    mayAct: () => claim.isValid(),
    progressed: () => claim.progressed(),
    drain: context.drain,
    note(event, cause, details) {
      void audit.record({ event, cause, incident, details: { ...details, fencingToken: claim.token } });
    },
  };
}

/** Throws {@link BusUnavailableError} without contact: a successor that cannot read what was sent must not send. */
async function readAttempts({ bus, clock, claim, incident, account }: BusLedgerContext): Promise<readonly InheritedAttempt[]> {
  const found: InheritedAttempt[] = [];
  const wallMs = clock.wallMs();
  let cursor: Cursor = FROM_START;
  for (let more = true; more; ) {
    const page = await bus.read(CLOSE_ATTEMPTS, cursor);
    for (const record of page.records) {
      const decoded = decodeCloseAttempt(record.fields);
      if (!decoded.ok || decoded.value.account !== account) continue;
      const attempt = decoded.value;
      const isOurs = attempt.incident === incident;
      const mayFill = attempt.fencingToken >= claim.openSince && (isOurs || Math.abs(wallMs - attempt.wallMs) <= SUPERSEDED_DOUBT_MS);
      if (isOurs || mayFill) found.push({ ...attempt, ended: !mayFill });
    }
    cursor = page.cursor;
    more = page.more;
  }
  return found.sort((a, b) => a.fencingToken - b.fencingToken || a.attempt - b.attempt);
}
