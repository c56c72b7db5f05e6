/** What a report shows of a run, taken down from what its observers saw: plain values, every half second or as they came. */
import type { VenueEvent } from '../../brokers/paper/index.js';
import type { Evidence } from '../../drill/judge/evidence.js';
import type { OrderAttempt } from '../../drill/orderLog.js';
import type { TradingMode } from '../../messages/tradingState.js';
import type { BusSight } from '../../rig/observer.js';
import { type Health, healthOf } from './health.js';
import { SAMPLE_MS, type Sample } from './monitor.js';
import { acceptedAtMs, flowIn } from './orderFlow.js';

/** The flow of orders in one span of {@link SAMPLE_MS}. */
export interface OrderSample {
  /** Where the span begins. */
  readonly atMs: number;
  readonly admitted: number;
  readonly refused: number;
  /** Taken by the venue. */
  readonly throughputPerS: number;
  readonly errorRate: number | undefined;
  readonly latencyMs: number | undefined;
  readonly health: Health;
}

export interface MetricSummary {
  readonly min: number;
  readonly max: number;
  readonly avg: number;
  readonly samples: number;
}

export interface AuditNote {
  readonly atMs: number;
  readonly event: string;
  readonly actor: string;
  readonly cause: string;
}

export const BEATERS = ['exit-brain', 'watchdog', 'exit-worker'] as const;
export type Beater = (typeof BEATERS)[number];

export interface Recording {
  /** Moments on the host's monotonic clock. */
  readonly startedMs: number;
  readonly onsetMs: number | undefined;
  readonly endedMs: number | undefined;
  readonly recoveredAtMs: number | undefined;
  readonly endMs: number;
  /** To be added to a moment to get its wall time. */
  readonly wallOffsetMs: number;
  readonly orders: readonly OrderSample[];
  readonly beats: Readonly<Record<Beater, readonly number[]>>;
  readonly modes: readonly { readonly atMs: number; readonly mode: TradingMode; readonly epoch: number }[];
  readonly panics: readonly { readonly atMs: number; readonly by: string; readonly reason: string; readonly isResend: boolean }[];
  /** Everything that was written to the audit record from the onset on. */
  readonly audit: readonly AuditNote[];
  /** Of each metric that was sampled; a metric of which there is no sample is not in it. */
  readonly metrics: Readonly<Record<string, MetricSummary>>;
}

export interface Recorded {
  readonly evidence: Evidence;
  readonly samples: readonly Sample[];
  readonly startedMs: number;
  readonly onsetMs: number | undefined;
  readonly endedMs: number | undefined;
  readonly recoveredMs: number | undefined;
  readonly wallOffsetMs: number;
}

const atMs = ({ atMs: moment }: { readonly atMs: number }): number => moment;

export function recordingOf(recorded: Recorded): Recording {
  const { evidence, samples, startedMs, onsetMs, endedMs, recoveredMs, wallOffsetMs } = recorded;
  const { bus, marks } = evidence;
  const orders = orderSamples(
    evidence.attempts.map(({ value }) => value),
    evidence.events,
    startedMs,
    marks.endMs,
  );
  return {
    startedMs,
    onsetMs,
    endedMs,
    recoveredAtMs: endedMs === undefined || recoveredMs === undefined ? undefined : endedMs + recoveredMs,
    endMs: marks.endMs,
    wallOffsetMs,
    orders,
    beats: { 'exit-brain': bus.brainBeats.map(atMs), watchdog: bus.watchdogBeats.map(atMs), 'exit-worker': bus.workerBeats.map(atMs) },
    modes: bus.states.map(({ atMs: moment, value: { mode, epoch } }) => ({ atMs: moment, mode, epoch })),
    panics: bus.panics.map(({ atMs: moment, value: { by, reason, resend } }) => ({ atMs: moment, by, reason, isResend: resend > 0 })),
    audit: auditFrom(bus, onsetMs ?? Infinity),
    metrics: metricsOf(orders, samples),
  };
}

/** Begins where the first order was attempted: before it there is no flow that could be called healthy or not. */
export function orderSamples(
  attempts: readonly OrderAttempt[],
  events: readonly VenueEvent[],
  fromMs: number,
  untilMs: number,
): readonly OrderSample[] {
  const accepted = acceptedAtMs(events);
  const firstMs = attempts.reduce((first, attempt) => Math.min(first, attempt.atMs), Infinity);
  const samples: OrderSample[] = [];
  for (let at = fromMs; at < untilMs; at += SAMPLE_MS) {
    if (at + SAMPLE_MS <= firstMs) continue;
    const flow = flowIn({ fromMs: at, untilMs: Math.min(at + SAMPLE_MS, untilMs) }, attempts, accepted);
    const { throughputPerS, errorRate, latencyMs, refused, attempts: made } = flow;
    samples.push({ atMs: at, admitted: made - refused, refused, throughputPerS, errorRate, latencyMs, health: healthOf(flow) });
  }
  return samples;
}

function auditFrom({ audit }: BusSight, fromMs: number): readonly AuditNote[] {
  return audit
    .filter(({ atMs: moment }) => moment >= fromMs)
    .map(({ atMs: moment, value: { event, actor, cause } }) => ({ atMs: moment, event, actor, cause }));
}

/** Undefined: there is no sample. */
export function summaryOf(values: readonly (number | undefined)[]): MetricSummary | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return undefined;
  return {
    min: Math.min(...known),
    max: Math.max(...known),
    avg: known.reduce((sum, value) => sum + value, 0) / known.length,
    samples: known.length,
  };
}

function metricsOf(orders: readonly OrderSample[], samples: readonly Sample[]): Recording['metrics'] {
  const processes = samples.map(({ processes: seen }) => seen);
  const total = (seen: (typeof processes)[number], value: 'residentBytes' | 'cpuShare') =>
    seen.reduce((sum, one) => sum + (one[value] ?? 0), 0);
  const all: Readonly<Record<string, MetricSummary | undefined>> = {
    latency_ms: summaryOf(orders.map(({ latencyMs }) => latencyMs)),
    error_rate: summaryOf(orders.map(({ errorRate }) => errorRate)),
    throughput_per_s: summaryOf(orders.map(({ throughputPerS }) => throughputPerS)),
    machine_cpu_share: summaryOf(samples.map(({ machineShare }) => machineShare)),
    processes_cpu_share: summaryOf(processes.map((seen) => total(seen, 'cpuShare'))),
    processes_resident_bytes: summaryOf(processes.map((seen) => total(seen, 'residentBytes'))),
    event_loop_delay_ms: summaryOf(samples.map(({ loopDelayMs }) => loopDelayMs)),
  };
  return Object.fromEntries(Object.entries(all).flatMap(([name, summary]) => (summary === undefined ? [] : [[name, summary]])));
}
