/** Which services are under planned work now: each window counts on this watchdog's own clock from when it was first seen. */
import type { MaintenanceWindow } from '../messages/maintenance.js';

/** A longer window is cut to this: forgotten maintenance must not leave a service unwatched. */
export const MAX_MAINTENANCE_MS = 3_600_000;

interface OpenWindow {
  readonly serviceId: string;
  readonly epoch: number;
  readonly endsMs: number;
}

export class MaintenanceWindows {
  readonly #open = new Map<string, OpenWindow>();

  /** Windows that are no news change nothing; the same one again with no duration ends it. Returns whether this one was taken up. */
  see(window: MaintenanceWindow, nowMs: number, wallMs: number): boolean {
    const known = this.#open.get(window.windowId);
    if (known !== undefined && window.durationMs > 0) return false;
    // After a restart old windows are read again: the wall clock may only shorten what they have left, never lengthen it.
    const leftByWallMs = window.wallMs + window.durationMs - wallMs;
    const endsMs = nowMs + Math.min(window.durationMs, MAX_MAINTENANCE_MS, Math.max(0, leftByWallMs));
    this.#open.set(window.windowId, { serviceId: window.serviceId, epoch: window.epoch, endsMs });
    return endsMs > nowMs;
  }

  /** 0: no window is open for this service in this epoch. */
  leftMs(serviceId: string, epoch: number, nowMs: number): number {
    let leftMs = 0;
    for (const window of this.#open.values()) {
      if (window.serviceId === serviceId && window.epoch === epoch) leftMs = Math.max(leftMs, window.endsMs - nowMs);
    }
    return leftMs;
  }

  /** Forgets windows that ended in earlier epochs. */
  forgetBefore(epoch: number): void {
    for (const [windowId, window] of this.#open) if (window.epoch < epoch) this.#open.delete(windowId);
  }
}
