/** The ledger of an exit on the bus: attempts are written down before they are sent, and only the owner of the claim may act. */
import type { Audit } from '../audit/audit.js';
import type { Bus, BusRecord, Fields } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { CLOSE_ATTEMPTS, type CloseAttempt, decodeCloseAttempt, encodeCloseAttempt } from '../messages/closeAttempt.js';
import type { Decoded } from '../messages/fields.js';
import { accountOf } from '../messages/panicClose.js';
import { readAll } from '../tradingState/incidents.js';
import type { IncidentClaim } from './claim.js';
import type { AttemptNote, ExitLedger, InheritedAttempts } from './ledger.js';
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
  /** The bus has lost what it held: under these ids others may have sent closes that are not on record. */
  readonly isRenamed: boolean;
  /** Why closes may be under way that are not on record. */
  readonly forgotten: string | undefined;
  readonly drain: () => DrainView;
}

export function createBusLedger(context: BusLedgerContext): ExitLedger {
  const { bus, clock, audit, claim, incident, account, worker } = context;
  return {
    orderPrefix: context.orderPrefix,
    turn: claim.token,
    mayBeRepeating: claim.token > claim.openSince || context.isRenamed,
    async inherited() {
      const inherited = await readAttempts(context);
      // Its sender may have died before its audit entry was written; the attempt itself was durable before it was sent.
      for (const { wallMs: _wall, account: _account, ended, ...details } of inherited.attempts) {
        if (ended) continue;
        void audit.record({ event: 'exit.close_inherited', cause: `sent by ${details.worker}`, incident, details });
      }
      for (const problem of inherited.unreadable) {
        void audit.record({ event: 'exit.close_unreadable', cause: problem, incident, details: {} });
      }
      return inherited;
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
      // One that a single master holds may be forgotten behind it.
      return sent.outcome === 'committed';
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
async function readAttempts(context: BusLedgerContext): Promise<InheritedAttempts> {
  const { bus, clock, claim, forgotten } = context;
  const wallMs = clock.wallMs();
  const decode = (fields: Fields, record: BusRecord): Decoded<InheritedAttempt | undefined> => {
    const decoded = decodeCloseAttempt(fields);
    if (decoded.ok) return { ok: true, value: inheritedAttempt(decoded.value, wallMs, context) };
    return mayBeUnderWay(record, wallMs, context) ? decoded : { ok: true, value: undefined };
  };
  const { values, unreadable } = await readAll(bus, { stream: CLOSE_ATTEMPTS, decode });
  const attempts = values.filter((attempt) => attempt !== undefined);
  attempts.sort((a, b) => a.fencingToken - b.fencingToken || a.attempt - b.attempt);
  // Where the last exit ended with nothing under way, and nobody has had the claim since, nothing is, whatever was written.
  const unclear = claim.token > claim.openSince ? unreadable : [];
  return { attempts, unreadable: forgotten === undefined ? unclear : [forgotten, ...unclear] };
}

type Reader = Pick<BusLedgerContext, 'claim' | 'incident' | 'account'>;

function inheritedAttempt(attempt: CloseAttempt, wallMs: number, { claim, incident, account }: Reader): InheritedAttempt | undefined {
  if (attempt.account !== account) return undefined;
  const isOurs = attempt.incident === incident;
  const mayFill = attempt.fencingToken >= claim.openSince && (isOurs || Math.abs(wallMs - attempt.wallMs) <= SUPERSEDED_DOUBT_MS);
  return isOurs || mayFill ? { ...attempt, ended: !mayFill } : undefined;
}

/** What cannot be understood as a whole counts, unless what it still says shows that nothing of it is under way in this account. */
function mayBeUnderWay({ fields, appendedWallMs }: BusRecord, wallMs: number, { claim, incident, account }: Reader): boolean {
  const named = fields['incident'];
  const token = fields['fencing_token'];
  if (token !== undefined && /^\d{1,15}$/.test(token) && Number(token) < claim.openSince) return false;
  if (named === incident) return true;
  const meant = fields['account'] ?? (named === undefined ? account : accountOf(named));
  if (meant !== account) return false;
  return named === undefined || Math.abs(wallMs - appendedWallMs) <= SUPERSEDED_DOUBT_MS;
}
