/** The panic button: it must reach the worker whatever state trading is in, and whatever happens while it is pressed. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.js';
import { panicClose } from '../../src/emergencyExit/panicClose.js';
import { PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { TRADING_STATE } from '../../src/messages/tradingState.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('panicClose', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  async function pressed(bus: Bus) {
    const { clock } = scene;
    const pressing = panicClose(bus, { reason: 'now', by: 'operator' }, { clock, timeoutMs: 2_000 });
    await clock.advance(2_500);
    return pressing;
  }

  it('S3, S6: is accepted and carried out while the trading state cannot be understood', async () => {
    scene = createExitScene();
    const { venue, bus, clock } = scene;
    venue.seed([{ symbol: 'AAPL', quantity: 5 }]);
    await bus.latch(TRADING_STATE).compareAndSet(0, { schema: '1', epoch: '7', mode: 'SIDEWAYS' });
    scene.worker();
    await clock.advance(300);
    expect(await pressed(bus)).toMatchObject({ outcome: 'committed', epoch: 7 });
    await scene.until(() => venue.positions().size === 0, 5_000, 'the empty book');
    expect(await scene.state()).toMatchObject({ mode: 'HALTED', epoch: 7 });
  });

  it('S6: a re-arm that comes between its two steps does not turn it into a panic of an epoch that is over', async () => {
    scene = createExitScene();
    const { venue, bus, clock } = scene;
    await scene.arm();
    venue.seed([{ symbol: 'AAPL', quantity: 5 }]);
    scene.worker();
    await clock.advance(300);
    let rearmed = false;
    const slow: Bus = {
      ...bus,
      latch: (key) => bus.latch(key),
      append: async (stream, fields, options) => {
        if (stream === PANIC_CLOSE && !rearmed) {
          rearmed = true;
          await scene.arm(['default'], 2);
        }
        return bus.append(stream, fields, options);
      },
    };
    expect(await pressed(slow)).toMatchObject({ outcome: 'committed', epoch: 2 });
    await scene.until(() => venue.positions().size === 0, 5_000, 'the empty book');
  });

  it('S6: an account that no worker can have is refused, instead of a panic that nobody carries out', async () => {
    scene = createExitScene();
    const wrong = panicClose(scene.bus, { reason: 'r', by: 'b', scope: 'desk/7' }, { clock: scene.clock });
    await expect(wrong).rejects.toThrow('scope = "desk/7": must be 1 to 100 letters');
  });
});
