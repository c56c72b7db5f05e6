/** One intent as it stands on disk: what was to be sent, and later what became of it, a line each. */
import { createHash } from 'node:crypto';
import type { IntentKind } from '../../permission.js';
import type { SubmissionOutcome } from '../protocol.js';

export interface Intent {
  readonly clientOrderId: string;
  /** What the broker's query needs beside the id. May be empty where the id is enough. */
  readonly symbol: string;
  readonly label: string;
  readonly intent: IntentKind;
  /** When it was written, on the monotonic clock of the boot that is named. */
  readonly writtenMs: number;
  readonly bootId: string;
  /** So long its writer may send it still. Absent in what an older version wrote. */
  readonly sendWithinMs?: number | undefined;
  /** For people, and for whoever reads it on another boot. */
  readonly wallMs: number;
  readonly pid: number;
}

export interface IntentOutcome {
  readonly outcome: SubmissionOutcome;
  /** Who found out: `guard`, `reconcile`, or a person. */
  readonly by: string;
  readonly wallMs: number;
}

export type IntentRecord =
  | { readonly kind: 'intent'; readonly intent: Intent; readonly outcome: IntentOutcome | undefined }
  /** The first line does not hold: nobody can say what was to be sent. */
  | { readonly kind: 'corrupt' };

const VERSION = 1;
const TEXTS = ['clientOrderId', 'symbol', 'label', 'intent', 'bootId'] as const;
const NUMBERS = ['writtenMs', 'wallMs', 'pid'] as const;
const OUTCOMES: readonly unknown[] = ['acknowledged', 'refused', 'unknown'];

/** Any text is an id; a file name holds few characters and no two ids alike. */
export function fileNameOf(clientOrderId: string): string {
  return `${digest(clientOrderId)}.intent`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}

function line(value: object): string {
  const text = JSON.stringify(value);
  return `${digest(text)} ${text}\n`;
}

export function intentLine(intent: Intent): string {
  return line({ version: VERSION, ...intent });
}

/** Begins on a line of its own, whatever a writer that was cut short has left before it. */
export function outcomeLine(outcome: IntentOutcome): string {
  return `\n${line(outcome)}`;
}

function fieldsOf(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  const [, sum, json] = /^([0-9a-f]{40}) (.*)$/.exec(text ?? '') ?? [];
  if (json === undefined || digest(json) !== sum) return undefined;
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}

function isIntentRecord(fields: Readonly<Record<string, unknown>> | undefined): fields is Readonly<Record<string, unknown>> & Intent {
  if (fields?.['version'] !== VERSION) return false;
  if (fields['sendWithinMs'] !== undefined && typeof fields['sendWithinMs'] !== 'number') return false;
  return TEXTS.every((name) => typeof fields[name] === 'string') && NUMBERS.every((name) => typeof fields[name] === 'number');
}

function isOutcome(fields: Readonly<Record<string, unknown>> | undefined): fields is Readonly<Record<string, unknown>> & IntentOutcome {
  return fields !== undefined && OUTCOMES.includes(fields['outcome']) && typeof fields['by'] === 'string';
}

/** The last outcome that is whole counts; `unknown` is none. */
export function parseIntentFile(text: string): IntentRecord {
  const [first, ...others] = text.split('\n');
  const fields = fieldsOf(first);
  if (!isIntentRecord(fields)) return { kind: 'corrupt' };
  const { clientOrderId, symbol, label, intent, writtenMs, bootId, sendWithinMs, wallMs, pid } = fields;
  const outcomes = others.map(fieldsOf).filter(isOutcome);
  const outcome = outcomes.findLast((candidate) => candidate.outcome !== 'unknown');
  return { kind: 'intent', intent: { clientOrderId, symbol, label, intent, writtenMs, bootId, sendWithinMs, wallMs, pid }, outcome };
}
