/** What travels between a simulated Redis and its clients, and what whoever judges a run is told of it. */
import type { Fields } from '../../bus/bus.js';
import type { Change, StoredRecord } from './serverData.js';

export type ServerRefusal = 'no_space' | 'read_only';

export interface Place {
  readonly after: number;
  /** Whose positions these are. */
  readonly server: string;
}

export interface ObservedMessage {
  readonly at: number;
  readonly consumer: string;
  readonly attempt: number;
  readonly renewals: number;
  readonly released: boolean;
}

export type Request =
  | {
      readonly ask: 'append';
      readonly stream: string;
      readonly key: string | undefined;
      readonly fields: Fields;
      readonly idempotencyKey: string | undefined;
      /** On the true clock. */
      readonly deadlineMs: number;
      /** Taken also when memory is short. */
      readonly sure: boolean;
    }
  | { readonly ask: 'set'; readonly key: string; readonly expected: number; readonly fields: Fields; readonly deadlineMs: number }
  | { readonly ask: 'get'; readonly key: string }
  | { readonly ask: 'watch'; readonly key: string; readonly known: number; readonly blockMs: number }
  | { readonly ask: 'read'; readonly stream: string; readonly place: Place; readonly limit: number; readonly blockMs: number }
  | { readonly ask: 'end'; readonly stream: string }
  | { readonly ask: 'latest'; readonly stream: string; readonly key: string }
  | { readonly ask: 'observe'; readonly stream: string; readonly group: string }
  | { readonly ask: 'news'; readonly stream: string; readonly after: number; readonly blockMs: number }
  | {
      readonly ask: 'take';
      readonly stream: string;
      readonly group: string;
      readonly consumer: string;
      readonly at: number | undefined;
      readonly attempt: number;
      readonly deadlineMs: number;
    }
  | {
      readonly ask: 'renew' | 'release';
      readonly stream: string;
      readonly group: string;
      readonly at: number;
      readonly consumer: string;
      readonly attempt: number;
    }
  | { readonly ask: 'ack'; readonly stream: string; readonly group: string; readonly at: number }
  | { readonly ask: 'probe' };

export type Reply =
  | { readonly kind: 'committed'; readonly at: number }
  | { readonly kind: 'duplicate' | 'deadline_passed' | 'conflict' | 'nothing' }
  | { readonly kind: 'refused'; readonly why: ServerRefusal }
  | { readonly kind: 'value'; readonly version: number; readonly fields: Fields | undefined }
  | { readonly kind: 'records'; readonly records: readonly StoredRecord[]; readonly place: Place; readonly more: boolean }
  | { readonly kind: 'observed'; readonly last: number; readonly undelivered: boolean; readonly claims: readonly ObservedMessage[] }
  | { readonly kind: 'taken'; readonly record: StoredRecord; readonly attempt: number }
  | { readonly kind: 'held'; readonly yes: boolean }
  | { readonly kind: 'alive'; readonly identity: string };

/** What whoever judges a run is told of: a change of the data, another life with other data, or latches that nobody can read. */
export type Seen = Change | { readonly do: 'restarted' } | { readonly do: 'doubted'; readonly is: boolean };
