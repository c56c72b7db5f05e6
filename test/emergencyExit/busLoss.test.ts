/** A bus that goes away: people are told at once, and the book is closed without it only where that was asked for. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, BusUnavailableError } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { createExitWorker } from '../../src/emergencyExit/worker.js';
import { ConfigurationError } from '../../src/errors.js';
import { eventually } from '../support/eventually.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

/** Fails every call while `away()`; appends are refused, as the port says. */
function losable<T extends object>(target: T, away: () => boolean): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (name === 'group' || name === 'latch') {
          const part: unknown = Reflect.apply(value, object, args);
          return typeof part === 'object' && part !== null ? losable(part, away) : part;
        }
        if (!away()) return Reflect.apply(value, object, args);
        if (name === 'probe') return Promise.resolve({ ok: false, detail: 'away' });
        if (name === 'append' || name === 'compareAndSet') return Promise.resolve({ outcome: 'unknown', detail: 'away' });
        return Promise.reject(new BusUnavailableError('away'));
      };
    },
  });
}

describe('onBusLost', () => {
  let scene: ExitScene;
  let directory: string;
  let away = false;
  const wrapBus = (bus: Bus) => losable(bus, () => away);
  beforeEach(() => {
    away = false;
    directory = mkdtempSync(join(tmpdir(), 'bus-loss-'));
  });
  afterEach(async () => {
    await scene.end();
    rmSync(directory, { recursive: true });
  });

  async function lose(onBusLost: 'escalate' | 'flatten') {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    const worker = scene.worker({ wrapBus, options: { onBusLost, memoryFile: join(directory, 'memory') } });
    await scene.clock.advance(500);
    away = true;
    await scene.clock.advance(9_500);
    expect(worker.alerts).toEqual([]);
    expect(scene.venue.positions().size).toBe(1);
    await scene.clock.advance(1_000);
    // What follows it depends on how soon the memory is on disk, which takes real time.
    expect(worker.alerts[0]?.kind).toBe('bus.lost');
    return worker;
  }

  it('escalate: people are told and nothing is sent', async () => {
    await lose('escalate');
    await scene.clock.advance(20_000);
    expect(scene.venue.events().filter((event) => event.kind === 'request')).toEqual([]);
  });

  it('S4, S6, S7: flatten closes the book, is remembered on disk, and halts and is reconciled when the bus returns', async () => {
    await lose('flatten');
    const file = join(directory, 'memory.local-incident');
    // The file is written in real time, the exit goes on in the scene's.
    await eventually(() => existsSync(file));
    await eventually(async () => {
      await scene.clock.advance(50);
      return scene.venue.positions().size === 0;
    });
    expect(
      scene.venue
        .events()
        .filter((event) => event.kind === 'fill')
        .map(({ positionAfter }) => positionAfter),
    ).toEqual([0]);
    expect((await scene.state()).mode).toBe('ACTIVE');
    away = false;
    await eventually(async () => {
      await scene.clock.advance(100);
      return (await scene.state()).mode === 'HALTED';
    });
    expect((await scene.state()).halts.map(({ id, kind }) => ({ id: id.replace(/[0-9a-f-]{36}/, 'id'), kind }))).toContainEqual({
      id: 'exit/local/id',
      kind: 'exit',
    });
    await eventually(async () => {
      await scene.clock.advance(100);
      return (await scene.completions()).length === 1 && !existsSync(file);
    });
    expect(await scene.completions()).toMatchObject([{ incident: 'default@1', verdict: 'flat' }]);
    expect(await scene.unacknowledged()).toBe(0);
  });

  it('flatten without a memory file is refused', () => {
    scene = createExitScene();
    const options = { bus: createMemoryBus().handle(), broker: scene.venue.broker('w'), onBusLost: 'flatten' } as const;
    expect(() => createExitWorker(options)).toThrow(ConfigurationError);
  });

  it('L7: a bus that freezes as soon as it has delivered the panic does not delay the alert', async () => {
    let frozen = false;
    const never = () => new Promise<never>(() => undefined);
    const frozenBus = (bus: Bus): Bus => {
      const latch: Bus['latch'] = (key) => {
        const intact = bus.latch(key);
        return {
          get: () => (frozen ? never() : intact.get()),
          compareAndSet: (version, fields) => (frozen ? never() : intact.compareAndSet(version, fields)),
          watch: (version, options) => (frozen ? never() : intact.watch(version, options)),
        };
      };
      return new Proxy(bus, { get: (target, name) => (name === 'latch' ? latch : bound(target, name)) });
    };
    scene = createExitScene();
    await scene.arm();
    const worker = scene.worker({ wrapBus: frozenBus });
    await scene.clock.advance(500);
    frozen = true;
    await scene.panic();
    await scene.until(() => worker.alerts.some(({ kind }) => kind === 'exit.panic_received'), 1_000, 'the alert');
    worker.kill();
  });
});

function bound(target: Bus, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? value.bind(target) : value;
}
