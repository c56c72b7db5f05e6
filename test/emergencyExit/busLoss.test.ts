/** A bus that goes away: people are told at once, and the book is closed without it only where that was asked for. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, BusUnavailableError } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { createExitWorker } from '../../src/emergencyExit/worker.js';
import { ConfigurationError } from '../../src/errors.js';
import { type FaultyBus, faultyBus } from '../../src/testing/faultyBus.js';
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

  it('S4: what the exit on the bus had sent before is not sent again without the bus, where nobody can be asked about it', async () => {
    scene = createExitScene();
    const { clock, venue } = scene;
    await scene.arm();
    venue.set({ reduceOnly: 'rejected', clientOrderIds: 'never' });
    venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    let sent = 0;
    const worker = scene.worker({
      wrapBus,
      options: { onBusLost: 'flatten', memoryFile: join(directory, 'memory') },
      orderTransitMs: () => (sent++ === 0 ? 25_000 : 0),
    });
    await clock.advance(500);
    await scene.panic();
    await scene.until(() => sent === 1, 5_000, 'the close has left');
    away = true;
    await clock.advance(11_000);
    expect(worker.alerts.map(({ kind }) => kind)).toContain('bus.lost');
    await eventually(() => existsSync(join(directory, 'memory.local-incident')));
    await clock.advance(20_000);
    expect(sent).toBe(1);
    expect(venue.positions().size).toBe(0);
  });

  it('S6: people are told of a bus that can be read and takes nothing, as on a full disk', async () => {
    scene = createExitScene();
    const { clock, venue } = scene;
    await scene.arm();
    venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    let bus: FaultyBus | undefined;
    const worker = scene.worker({
      wrapBus: (plain) => {
        bus = faultyBus(plain);
        return bus;
      },
    });
    await clock.advance(500);
    const full = { refused: 'no_space' } as const;
    Object.assign(bus?.faults ?? {}, { append: full, latchWrite: full });
    await clock.advance(12_000);
    expect(worker.alerts.map(({ kind }) => kind)).toEqual(['bus.unwritable']);
    bus?.heal();
    await scene.panic();
    await scene.until(() => venue.positions().size === 0, 5_000, 'the empty book');
  });
});

function bound(target: Bus, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? value.bind(target) : value;
}
