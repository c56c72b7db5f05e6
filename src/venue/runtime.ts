/** Runs the venue's engine on a clock: wakes it when something is due and hands answers to those who wait. */
import type { Clock, Timer } from '../clock.js';
import type { Sender, VenueAnswer, VenueCommand, VenueState } from './engine/state.js';
import { advance, nextDueMs, receive } from './engine/venue.js';

export type Respond = (answer: VenueAnswer) => void;

export interface VenueRuntime {
  readonly state: VenueState;
  request(command: VenueCommand, sender: Sender, respond: Respond): void;
  /** Runs an administrator's change at the present moment, and then whatever it made due. */
  administer<T>(change: (state: VenueState, nowMs: number) => T): T;
  /** Calls `proceed` at once, or at the thaw of a frozen venue. */
  whenThawed(proceed: () => void): void;
  /** Calls `woken` once at the next change of the bar index, or after `waitMs`. */
  onNextBar(woken: () => void, waitMs: number): void;
  close(): void;
}

export function createVenueRuntime(state: VenueState, clock: Clock): VenueRuntime {
  const waiting = new Map<number, Respond>();
  const barWaiters = new Set<() => void>();
  let held: (() => void)[] = [];
  let timer: Timer | undefined;
  let seenRun = state.replay.run;
  let seenIndex = state.replay.index;

  const wakeBarWaiters = () => {
    if (seenIndex === state.replay.index && seenRun === state.replay.run) return;
    seenIndex = state.replay.index;
    seenRun = state.replay.run;
    for (const wake of barWaiters) wake();
  };

  const pump = () => {
    timer?.cancel();
    timer = undefined;
    for (const { requestId, answer } of advance(state, clock.monotonicMs())) {
      const respond = waiting.get(requestId);
      waiting.delete(requestId);
      respond?.(answer);
    }
    if (!state.switches.frozen) {
      const released = held;
      held = [];
      for (const proceed of released) proceed();
      wakeBarWaiters();
    }
    const dueMs = nextDueMs(state);
    if (dueMs !== undefined) timer = clock.setTimer(Math.max(0, dueMs - clock.monotonicMs()), pump);
  };

  return {
    state,
    request(command, sender, respond) {
      waiting.set(receive(state, command, sender, clock.monotonicMs()), respond);
      pump();
    },
    administer(change) {
      const result = change(state, clock.monotonicMs());
      pump();
      return result;
    },
    whenThawed(proceed) {
      if (state.switches.frozen) held.push(proceed);
      else proceed();
    },
    onNextBar(woken, waitMs) {
      const wake = () => {
        patience.cancel();
        barWaiters.delete(wake);
        woken();
      };
      const patience = clock.setTimer(waitMs, wake, { keepAlive: false });
      barWaiters.add(wake);
    },
    close() {
      timer?.cancel();
      timer = undefined;
      for (const wake of barWaiters) wake();
      waiting.clear();
      held = [];
    },
  };
}
