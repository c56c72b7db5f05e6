/** What a kill switch is told by its sources, and what a source must be. */
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';

/** Whose orders are meant. What is left out is left open: a source for every account, an order of any strategy. */
export interface KillSwitchScope {
  readonly strategy?: string;
  readonly account?: string;
}

/** What every source may be told. */
export interface SourceOptions {
  /** Whose orders it halts. Default: everyone's. */
  readonly scope?: KillSwitchScope;
}

/** An exit that is under way: only its worker closes. */
export interface OpenExit {
  readonly reason: string;
  readonly sinceWallMs: number;
}

/**
 * One answer of a source. Only `off` lets orders pass; `nothing` leaves the decision to the other sources. `from` names what was
 * read (`env:EXECUTION_HALTED`, `file:/etc/…`), and `reason` goes on from there.
 */
export type Opinion =
  | { readonly says: 'off'; readonly from: string; readonly reason?: undefined; readonly exit?: undefined }
  | { readonly says: 'halted' | 'doubt' | 'nothing'; readonly from: string; readonly reason: string; readonly exit?: OpenExit };

export interface SourceContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxStalenessMs: number;
  /** Something may have changed: it is read again soon. A hint; what is not hinted at is found by the next poll. */
  readonly changed: () => void;
}

/** A source at work for one switch. */
export interface OpenSource {
  /** One attempt. A throw or a rejection is doubt. The signal aborts when nobody waits for the answer any more. */
  read(signal: AbortSignal): Opinion | Promise<Opinion>;
  /** Takes back whatever was set up. Reads may be under way still, and nobody listens to them. */
  close(): void;
}

/** Where a kill switch looks. Made by `envSource`, `fileSource`, `busSource` and `functionSource`; it does nothing before a switch opens it. */
export interface KillSwitchSource {
  readonly name: string;
  readonly scope: KillSwitchScope;
  /** Whether its answer can change while this process runs. */
  readonly canChange: boolean;
  /** Its reads wait for a change themselves: the next one follows at once. */
  readonly waits: boolean;
  /** How many reads may hang unanswered before no further one is begun. */
  readonly maxUnanswered: number;
  /** It tells of exits that are under way: while it is in doubt one may be. */
  readonly tellsExits: boolean;
  open(context: SourceContext): OpenSource;
}
