/** What an exit still does once it has been superseded or has waited for long, and how people hear of one that cannot even begin. */
import { afterEach, describe, expect, it } from 'vitest';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('superseded and stuck exits', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  it('S6: a re-arm that supersedes an exit ends it at once: closes that were planned and not yet sent are not sent', async () => {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    venue.set({ latencyMs: 1_000 });
    venue.seed(Array.from({ length: 30 }, (_, index) => ({ symbol: `S${index}`, quantity: 10 })));
    scene.worker({ options: { concurrency: 2 } });
    await clock.advance(300);
    await scene.panic();
    const sends = () => venue.events().filter((event) => event.kind === 'request' && event.what === 'submit').length;
    await scene.until(() => sends() > 0, 3_000, 'the first close');
    await scene.arm(['default'], 2);
    await clock.advance(200);
    const sent = sends();
    await clock.advance(10_000);
    expect(sends()).toBe(sent);
    expect(venue.positions().size).toBeGreaterThan(20);
  });

  it('S6: an exit whose venue does not answer at all is escalated at its deadline, and is carried out once it does', async () => {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    venue.seed([{ symbol: 'AAPL', quantity: 5 }]);
    const worker = scene.worker();
    await clock.advance(300);
    venue.set({ frozen: true });
    await scene.panic();
    await scene.until(async () => (await scene.escalations()).length > 0, 13_000, 'the escalation');
    expect(await scene.escalations()).toMatchObject([{ verdict: 'deadline_passed' }]);
    expect(worker.alerts.map(({ kind }) => kind)).toContain('exit.deadline_passed');
    venue.set({ frozen: false });
    await scene.until(async () => (await scene.completions()).length > 0, 20_000, 'the verdict');
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat' }]);
  });

  it('S6: an exit whose claim nobody can understand is escalated at its deadline: no other worker could have it either', async () => {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    venue.seed([{ symbol: 'AAPL', quantity: 5 }]);
    const worker = scene.worker();
    await clock.advance(300);
    scene.memory.spoilLatch('exit:default');
    await scene.panic();
    await scene.until(async () => (await scene.escalations()).length > 0, 13_000, 'the escalation');
    expect(await scene.escalations()).toMatchObject([{ verdict: 'deadline_passed', fencingToken: 0 }]);
    expect(JSON.stringify(worker.alerts)).toContain('exit.deadline_passed');
    await clock.advance(20_000);
    expect(worker.alerts.filter(({ kind }) => kind === 'exit.deadline_passed')).toHaveLength(1);
  });

  it('S6: a panic that gives no reason is carried out like any other', async () => {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    venue.seed([{ symbol: 'AAPL', quantity: 5 }]);
    scene.worker();
    await clock.advance(300);
    await scene.panic({ reason: ' ' });
    await scene.until(() => venue.positions().size === 0, 5_000, 'the empty book');
    expect((await scene.state()).mode).toBe('HALTED');
  });

  it('S4: a close that had to wait for its turn is not sent on what was read long before, where the venue would not cap it', async () => {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    venue.set({ latencyMs: 1_000, reduceOnly: 'rejected' });
    venue.seed(Array.from({ length: 6 }, (_, index) => ({ symbol: `S${index}`, quantity: 20 - index })));
    scene.worker({ options: { concurrency: 1 } });
    await clock.advance(300);
    await scene.panic();
    await scene.until(() => venue.positions().size === 5, 15_000, 'the first close');
    venue.seed([{ symbol: 'S5', quantity: 2 }]);
    const lowest = { quantity: 2 };
    await scene.until(
      () => {
        lowest.quantity = Math.min(lowest.quantity, venue.positions().get('S5/net') ?? 0);
        return venue.positions().size === 0;
      },
      30_000,
      'the empty book',
    );
    expect(lowest.quantity).toBe(0);
  });
});
