import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileSource } from '../../src/killSwitch/fileSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import { halt } from '../../src/tradingState/halt.js';
import { readStatus } from '../../src/tradingState/status.js';
import { eventually } from '../support/eventually.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';
import { ACTIVE } from '../tradingLease/fixture.js';
import { RearmWorld } from '../tradingState/fixture.js';

describe('trap 14: a resume wiped by a restart or by reading the status, or impossible without a restart', () => {
  it('S7: neither restarts nor status reads nor time clear a halt; nor do they undo a re-arm', async () => {
    const world = new RearmWorld();
    await world.set(ACTIVE);
    world.startAll();
    let lease = world.lease();
    const disturb = async () => {
      const status = readStatus(world.bus, { clock: world.clock });
      await world.clock.advance(3_000);
      await status;
      const closed = lease.close();
      await world.clock.advance(500);
      await closed;
      lease = world.lease();
      await world.clock.advance(60_000);
    };
    await halt(world.bus, { kind: 'manual', reason: 'stop', by: 'op', id: 'h1' }, { clock: world.clock });
    await disturb();
    expect(await world.state()).toMatchObject({ mode: 'HALTED', halts: [{ id: 'h1' }] });
    expect(world.refusal(lease)).toBe('trading_halted');
    expect(await world.rearm({ clears: ['h1'] })).toMatchObject({ epoch: 2 });
    expect(world.refusal(lease)).toBeUndefined();
    await disturb();
    expect(await world.state()).toMatchObject({ mode: 'ACTIVE', epoch: 2 });
    expect(world.refusal(lease)).toBeUndefined();
    await world.end(lease);
  });
});

describe('trap 14: the same with a kill switch on a file', () => {
  it('S7: restarts and status reads neither clear a halt nor undo a resume, and a resume needs no restart', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'halted');
    const start = async () => {
      const killSwitch = createKillSwitch({ sources: [fileSource(path)] });
      expect(killSwitch.isHalted()).toBe(true);
      await killSwitch.ready;
      return killSwitch;
    };
    const answers = async () => {
      const before = await start();
      before.state();
      await before.close();
      const after = await start();
      after.state();
      const halted = after.isHalted();
      await after.close();
      return [before.isHalted(), halted];
    };
    writeFileSync(path, '1');
    expect(await answers()).toEqual([true, true]);
    const running = await start();
    writeFileSync(path, '0');
    await eventually(() => !running.isHalted());
    expect(await answers()).toEqual([true, false]);
    expect(running.isHalted()).toBe(false);
    rmSync(path);
    await eventually(() => running.isHalted());
    expect(await answers()).toEqual([true, true]);
    await running.close();
    rmSync(directory, { recursive: true });
  });
});
