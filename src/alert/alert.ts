/** Alerts: how people are told, straight from whoever noticed and never through the bus. */
import { messageOf } from '../errors.js';
import { isolatedLogger, type Logger } from '../logger.js';

export type AlertSeverity = 'info' | 'warning' | 'critical';

export interface Alert {
  /** What happened, as `area.event`: `watchdog.panic`, `exit.escalated`, … */
  readonly kind: string;
  readonly severity: AlertSeverity;
  readonly incident?: string;
  readonly account?: string;
  /** One line for a person. */
  readonly summary: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly wallMs: number;
}

export interface AlertSink {
  /** Resolves when the alert was handed over; rejects when it was not. Callers on a safety path never wait for it. */
  send(alert: Alert): Promise<void>;
}

export const silentAlerts: AlertSink = { send: () => Promise.resolve() };

/** Every sink gets every alert at the same time; what one of them does never reaches another. Rejects only when all failed. */
export function combineAlerts(...sinks: readonly AlertSink[]): AlertSink {
  return {
    send: async (alert) => {
      const results = await Promise.allSettled(sinks.map(async (sink) => sink.send(alert)));
      const failures = results.filter((result) => result.status === 'rejected').map((result) => messageOf(result.reason));
      if (failures.length > 0 && failures.length === results.length) throw new Error(`no alert went out: ${failures.join('; ')}`);
    },
  };
}

/** Sends without waiting: a sink that throws, rejects or hangs changes nothing for the caller. */
export function alertWithoutWaiting(sink: AlertSink, alert: Alert, logger: Logger): void {
  const log = isolatedLogger(logger);
  const { kind, severity, incident, summary } = alert;
  const said = { alert: kind, severity, ...(incident === undefined ? {} : { incident }) };
  // On the process's own log as well: its reader is the last one who is left when no sink works.
  if (severity === 'info') log.info(said, summary);
  else log.warn(said, summary);
  const report = (error: unknown) => log.error({ alert: kind, problem: messageOf(error) }, 'alert not sent');
  try {
    sink.send(alert).catch(report);
  } catch (error) {
    report(error);
  }
}

/** Tells receivers which alerts are the same one sent twice. */
export function dedupeKey(alert: Alert): string {
  return [alert.kind, alert.incident ?? alert.account ?? '', alert.incident === undefined ? Math.round(alert.wallMs) : ''].join('/');
}
