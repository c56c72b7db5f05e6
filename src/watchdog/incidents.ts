/** Every panic that this watchdog knows of, and when each must be sent again: until its completion is seen or its epoch is over. */
import { answeredPanics, answerKey, type Completion } from '../messages/completion.js';
import { incidentId, type PanicClose } from '../messages/panicClose.js';
import type { OpenAccount } from './unattended.js';

export interface ResendPace {
  /** The first wait. */
  readonly firstMs: number;
  /** Waits double up to this. */
  readonly longestMs: number;
}

interface OpenPanic {
  readonly panic: PanicClose;
  readonly resends: number;
  readonly waitMs: number;
  readonly nextMs: number;
}

export class Incidents {
  readonly #pace: ResendPace;
  readonly #open = new Map<string, OpenPanic>();
  readonly #completed = new Set<string>();
  /** Each panic is answered for itself: one that comes after a completion is carried out anew. */
  readonly #answered = new Set<string>();
  #epoch = 0;
  #accounts: readonly string[] = [];

  constructor(pace: ResendPace) {
    this.#pace = pace;
  }

  /** The trading state that counts now: a later epoch ends whatever was open before it. */
  entered(epoch: number, accounts: readonly string[]): void {
    this.#epoch = Math.max(this.#epoch, epoch);
    this.#accounts = accounts;
    for (const [key, open] of this.#open) if (open.panic.epoch < this.#epoch) this.#open.delete(key);
    this.#forgetAnswered();
  }

  /** A panic on the stream, or one of our own under way. Another sender's re-send puts ours off. */
  saw(panic: PanicClose, nowMs: number): void {
    if (panic.epoch < this.#epoch || this.#isAnswered(panic)) return;
    const key = keyOf(panic);
    const known = this.#open.get(key);
    if (known === undefined) {
      this.#open.set(key, { panic, resends: panic.resend, waitMs: this.#pace.firstMs, nextMs: nowMs + this.#pace.firstMs });
    } else if (panic.resend > known.resends) {
      this.#open.set(key, this.#waitLonger(known, panic.resend, nowMs));
    }
  }

  completed(completion: Completion): void {
    this.#completed.add(completion.incident);
    for (const answered of answeredPanics(completion)) this.#answered.add(answered);
    this.#forgetAnswered();
  }

  /** The sends that are due now; each counts as sent. */
  takeDue(nowMs: number): readonly PanicClose[] {
    const due: PanicClose[] = [];
    for (const [key, open] of this.#open) {
      if (open.nextMs > nowMs) continue;
      const next = this.#waitLonger(open, open.resends + 1, nowMs);
      this.#open.set(key, next);
      due.push({ ...open.panic, resend: next.resends });
    }
    return due;
  }

  /** Whether some panic has covered this account in this epoch already, completed or not. */
  covers(account: string, epoch: number): boolean {
    if (this.#completed.has(incidentId(account, epoch))) return true;
    for (const { panic } of this.#open.values()) {
      const isMeant = panic.scope === undefined ? this.#accounts.includes(account) : panic.scope === account;
      if (isMeant && panic.epoch === epoch) return true;
    }
    return false;
  }

  isOpen(panic: PanicClose): boolean {
    return this.#open.has(keyOf(panic));
  }

  open(): readonly PanicClose[] {
    return [...this.#open.values()].map(({ panic }) => panic);
  }

  /** Each account that an open panic is about and that no completion answers; of a panic without scope, those that were armed. */
  openAccounts(): readonly OpenAccount[] {
    const found = new Map<string, OpenAccount>();
    for (const { panic } of this.#open.values()) {
      for (const account of panic.scope === undefined ? this.#accounts : [panic.scope]) {
        const incident = incidentId(account, panic.epoch);
        if (!this.#answered.has(answerKey(incident, panic.eventId)) && !found.has(incident)) found.set(incident, { account, panic });
      }
    }
    return [...found.values()];
  }

  #waitLonger(open: OpenPanic, resends: number, nowMs: number): OpenPanic {
    const waitMs = Math.min(open.waitMs * 2, this.#pace.longestMs);
    return { panic: open.panic, resends, waitMs, nextMs: nowMs + waitMs };
  }

  #isAnswered(panic: PanicClose): boolean {
    const accounts = panic.scope === undefined ? this.#accounts : [panic.scope];
    return (
      accounts.length > 0 && accounts.every((account) => this.#answered.has(answerKey(incidentId(account, panic.epoch), panic.eventId)))
    );
  }

  #forgetAnswered(): void {
    for (const [key, open] of this.#open) if (this.#isAnswered(open.panic)) this.#open.delete(key);
  }
}

function keyOf({ scope, epoch, eventId }: PanicClose): string {
  return `${scope ?? '*'}@${epoch}/${eventId}`;
}
