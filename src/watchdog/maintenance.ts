/** Which services are under planned work now: each window counts on this watchdog's own clock from when it was first seen. */
import { MAINTENANCE_MAX_MS, type MaintenanceWindow } from '../messages/maintenance.js';

interface OpenWindow {
  readonly serviceId: string;
  readonly epoch: number;
  readonly endsMs: number;
}

export class MaintenanceWindows {
  readonly #open = new Map<string, OpenWindow>();

  /**
   * Windows that are no news change nothing; the same one again with no duration ends it. `wallMs` is given while old windows are
   * read: the wall clock may only shorten what they have left, never lengthen it. Returns whether this one was taken up.
   */
  see(window: MaintenanceWindow, nowMs: number, wallMs: number | undefined): boolean {
    const known = this.#open.get(window.windowId);
    if (known !== undefined && window.durationMs > 0) return false;
    const leftByWallMs = wallMs === undefined ? Infinity : Math.max(0, window.wallMs + window.durationMs - wallMs);
    const endsMs = nowMs + Math.min(window.durationMs, MAINTENANCE_MAX_MS, leftByWallMs);
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
