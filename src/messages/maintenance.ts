/** `system:maintenance`: planned work on one service, announced beforehand. */
import { type Decoded, decodeWith, encode, type Fields } from './fields.js';

export const MAINTENANCE = 'system:maintenance';

/** Of one window, in milliseconds: forgotten maintenance must not leave a service unwatched. */
export const MAINTENANCE_MAX_MS = 3_600_000;

export interface MaintenanceWindow {
  readonly windowId: string;
  readonly serviceId: string;
  /** Counted by each watchdog on its own monotonic clock from when it first saw the window. */
  readonly durationMs: number;
  readonly by: string;
  readonly reason: string;
  readonly epoch: number;
  readonly wallMs: number;
}

export function encodeMaintenance(window: MaintenanceWindow): Fields {
  return encode({
    window_id: window.windowId,
    service_id: window.serviceId,
    duration_ms: window.durationMs,
    by: window.by,
    reason: window.reason,
    epoch: window.epoch,
    ts: Math.round(window.wallMs),
  });
}

export function decodeMaintenance(fields: Fields): Decoded<MaintenanceWindow> {
  return decodeWith(fields, (reader) => ({
    windowId: reader.text('window_id'),
    serviceId: reader.text('service_id'),
    durationMs: reader.amount('duration_ms'),
    by: reader.text('by'),
    reason: reader.text('reason'),
    epoch: reader.count('epoch'),
    wallMs: reader.count('ts'),
  }));
}
