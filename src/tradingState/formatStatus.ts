/** The status in words for someone who was just woken up: what holds, what is wrong, what to look at. */
import type { ExitReport } from '../messages/completion.js';
import type { HolderReport } from '../messages/holder.js';
import type { PeerBeat } from '../messages/peerBeat.js';
import { printable } from '../printable.js';
import type { PeerStatus, SystemStatus } from './status.js';

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
const LAST_PRINTABLE_MS = 8.64e15;
const wallFormat = new Intl.DateTimeFormat('sv-SE', { timeZone: 'UTC', dateStyle: 'short', timeStyle: 'medium' });

function atWall(wallMs: number): string {
  if (wallMs === 0) return 'never';
  return wallMs > LAST_PRINTABLE_MS ? 'an impossible time' : `${wallFormat.format(wallMs)} UTC`;
}

function stateLines({ state, problem }: SystemStatus): readonly string[] {
  if (state === undefined) return ['Trading: HALTED, because the state cannot be understood', `  ${problem ?? ''}`];
  const meaning = {
    HALTED: 'nobody may add risk',
    REDUCING: 'positions may only be reduced',
    ACTIVE: 'holders of a lease may trade',
  }[state.mode];
  if (state.epoch === 0 && state.halts.length === 0) {
    return [`Trading: ${state.mode} (${meaning}), never armed`, '  a person arms it with a re-arm that clears nothing'];
  }
  const head = `Trading: ${state.mode} (${meaning}), epoch ${state.epoch}, since ${atWall(state.changedWallMs)} by ${state.changedBy}`;
  return [head, ...state.halts.map((halt) => `  halt ${halt.id} (${halt.kind}) by ${halt.by}: ${halt.reason}`)];
}

function peerLines(title: string, peers: readonly PeerStatus<PeerBeat>[]): readonly string[] {
  if (peers.length === 0) return [`${title}: NONE SEEN, so no lease is granted and nobody may add risk`];
  return peers.map(({ name, beat, ageMs, progress }) => {
    const { worker } = beat;
    const book =
      worker?.bookAgeMs === undefined ? 'book never read' : `${worker.positions ?? '?'} positions, read ${seconds(worker.bookAgeMs)} ago`;
    const condition =
      worker === undefined ? '' : `, account ${worker.account}${worker.identityMatches ? '' : ' DOES NOT MATCH ITS VENUE'}, ${book}`;
    return `${title}: ${name} on ${beat.host} (pid ${beat.pid}), seen ${seconds(ageMs)} ago${progress ? '' : ', NO PROGRESS'}${condition}`;
  });
}

function brainLines({ brains, missingServices }: SystemStatus): readonly string[] {
  const lines = brains.map(({ name, beat, ageMs, progress }) => {
    const why = beat.reason === undefined ? '' : ` (${beat.reason})`;
    return `Exit brain: ${name} ${beat.status}${why}, ${beat.activePositions} positions, seen ${seconds(ageMs)} ago${progress ? '' : ', NO PROGRESS'}`;
  });
  const missing = missingServices.map((service) => `Exit brain: ${service} MISSING, expected since trading was armed`);
  return lines.length + missing.length === 0 ? ['Exit brain: NONE SEEN'] : [...lines, ...missing];
}

function holderLine(report: HolderReport): string {
  const unknown = report.unknownOutcomes === 0 ? '' : `, ${report.unknownOutcomes} ORDERS WITH UNKNOWN OUTCOME`;
  return `Holder: ${report.holderId} (${report.account}, pid ${report.pid} on ${report.host}), last report: ${report.event} at epoch ${report.epoch}, ${report.inflight} in flight${unknown}`;
}

function reportLine(title: string, report: ExitReport | undefined): readonly string[] {
  if (report === undefined) return [];
  const silent = report.silentHolders.length === 0 ? '' : `, silent holders: ${report.silentHolders.join(', ')}`;
  const residue = report.residue.map(({ symbol, quantity, why }) => `${symbol} ${quantity} (${why})`).join(', ');
  const left = residue === '' ? '' : `, left: ${residue}`;
  return [`${title}: ${report.incident} ${report.verdict} at ${atWall(report.completedWallMs)} by ${report.worker}${silent}${left}`];
}

export function formatStatus(status: SystemStatus): string {
  const incidents = status.openIncidents.map(({ incident, reason, by }) => `OPEN INCIDENT: ${incident} (${reason}, by ${by})`);
  return [
    ...stateLines(status),
    ...(incidents.length === 0 ? ['Incidents: none open'] : incidents),
    ...brainLines(status),
    ...peerLines('Watchdog', status.watchdogs),
    ...peerLines('Exit worker', status.workers),
    ...(status.holders.length === 0 ? ['Holders: none registered'] : status.holders.map(holderLine)),
    ...reportLine('Last completion', status.lastCompletion),
    ...reportLine('Last escalation', status.lastEscalation),
    ...status.unreadable.map((problem) => `NOT UNDERSTOOD: ${problem}`),
    `Bus: ${status.bus}, observed for ${seconds(status.observedMs)}`,
  ]
    .map(printable)
    .join('\n');
}
