/** A watchdog that is bound to the process it watches is stopped together with it, and nobody is left to notice. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { EXIT_BRAIN_HEARTBEAT } from '../../src/messages/heartbeat.js';
import { decodePanicClose, PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { encodeTradingState, TRADING_STATE } from '../../src/messages/tradingState.js';
import { Workspace } from '../cli/cli.js';
import { eventually } from '../support/eventually.js';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(() => workspace.remove());

describe('trap 11', () => {
  it('trap 11: the watchdog outlives the whole process group of the brain that it watches, and panics', { timeout: 60_000 }, async () => {
    const url = `journal:${workspace.path('bus')}`;
    const bus = await openBus(url);
    const armed = {
      epoch: 1,
      mode: 'ACTIVE',
      halts: [],
      accounts: ['default'],
      services: ['exit-brain'],
      changedBy: 'test',
      changedWallMs: 0,
    } as const;
    expect(await bus.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(armed))).toMatchObject({ outcome: 'committed' });
    const { ready: venue } = await workspace.role(['venue']);
    await workspace.role(['watchdog', '--bus', url, '--scale', '4']);
    // A group of its own, as a service manager gives each service: its end takes everything in it along.
    const args = ['exit-brain', '--bus', url, '--scale', '4', '--broker', `paper:${venue.url ?? ''}`];
    const brain = spawn(process.execPath, [MAIN, ...args], { detached: true, stdio: 'ignore' });
    const ended = once(brain, 'exit');
    await eventually(async () => (await bus.latest(EXIT_BRAIN_HEARTBEAT, 'exit-brain')) !== undefined, { timeoutMs: 15_000 });
    process.kill(-(brain.pid ?? Number.NaN), 'SIGKILL');
    await ended;
    const panic = await eventually(async () => (await bus.read(PANIC_CLOSE, FROM_START)).records[0], { timeoutMs: 15_000 });
    expect(decodePanicClose(panic.fields)).toMatchObject({ ok: true, value: { issuedBy: 'watchdog', scope: 'default', epoch: 1 } });
    await bus.close();
  });
});
