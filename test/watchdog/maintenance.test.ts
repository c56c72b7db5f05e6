/** Planned work ends when its time is over or when it is called off, whichever comes first. */
import { describe, expect, it } from 'vitest';
import { MaintenanceWindows } from '../../src/watchdog/maintenance.js';

const WINDOW = { windowId: 'w', serviceId: 'brain', durationMs: 60_000, by: 'operator', reason: 'upgrade', epoch: 1, wallMs: 5_000 };

describe('maintenance windows', () => {
  it('S8: a window covers its service until its time is over', () => {
    const windows = new MaintenanceWindows();
    expect(windows.see(WINDOW, 1_000, 5_000)).toBe(true);
    expect(windows.see(WINDOW, 30_000, 34_000)).toBe(false);
    expect(windows.leftMs('brain', 1, 31_000)).toBe(30_000);
    expect(windows.leftMs('brain', 1, 61_000)).toBeLessThanOrEqual(0);
    expect(windows.leftMs('other', 1, 1_000)).toBe(0);
  });

  it('S8: a wall clock that differs cuts nothing from a window that was announced just now, only from one that is read again', () => {
    const ahead = WINDOW.wallMs + 120_000;
    const live = new MaintenanceWindows();
    expect(live.see(WINDOW, 1_000, undefined)).toBe(true);
    expect(live.leftMs('brain', 1, 1_000)).toBe(60_000);
    const reading = new MaintenanceWindows();
    expect(reading.see(WINDOW, 1_000, ahead)).toBe(false);
    expect(reading.see({ ...WINDOW, windowId: 'w2' }, 1_000, WINDOW.wallMs + 50_000)).toBe(true);
    expect(reading.leftMs('brain', 1, 1_000)).toBe(10_000);
    // A clock that is behind lengthens nothing.
    expect(reading.see({ ...WINDOW, windowId: 'w3' }, 1_000, WINDOW.wallMs - 600_000)).toBe(true);
    expect(reading.leftMs('brain', 1, 1_000)).toBe(60_000);
  });

  it('S11: a window that was called off covers nothing any more', () => {
    const windows = new MaintenanceWindows();
    windows.see(WINDOW, 1_000, 5_000);
    windows.see({ ...WINDOW, durationMs: 0, wallMs: 9_000 }, 5_000, 9_000);
    expect(windows.leftMs('brain', 1, 5_000)).toBe(0);
  });
});
