/** Account and environment are checked before anything is cancelled or closed. */
import { afterEach, describe, expect, it } from 'vitest';
import { BrokerUnavailableError } from '../../src/broker/broker.js';
import { FROM_START } from '../../src/bus/bus.js';
import { decodePeerBeat, EXIT_WORKER_HEARTBEAT } from '../../src/messages/peerBeat.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 21: the exit worker is pointed at another account than the one that trades', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  const sent = () => scene.venue.events().filter((event) => event.kind === 'request');

  /** What the worker has said of itself to those who trade on it. */
  async function saidToMatch() {
    const { records } = await scene.bus.read(EXIT_WORKER_HEARTBEAT, FROM_START, { limit: 10_000 });
    const beats = records.map(({ fields }) => decodePeerBeat(fields));
    return new Set(beats.map((beat) => (beat.ok ? beat.value.worker?.identityMatches : beat.problem)));
  }

  it.each([
    ['account', { account: 'testnet' }],
    ['environment', { environment: 'production' }],
  ])('trap 21: another %s: nothing is closed, and people are told', async (_what, options) => {
    scene = createExitScene(['default', 'testnet']);
    await scene.arm(['testnet', 'default']);
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    const worker = scene.worker({ options });
    await scene.clock.advance(500);
    await scene.panic({ scope: 'account' in options ? options.account : 'default' });
    await scene.clock.advance(15_000);
    expect(sent()).toEqual([]);
    expect(scene.venue.positions().size).toBe(1);
    expect(await scene.completions()).toEqual([]);
    expect((await scene.escalations()).map(({ verdict }) => verdict)).toEqual(['wrong_account']);
    expect(worker.alerts.map(({ kind }) => kind)).toContain('exit.wrong_account');
    expect(await saidToMatch(), 'nobody may trade on it').toEqual(new Set([false]));
    expect(await scene.unacknowledged('account' in options ? options.account : 'default')).toBe(1);
  });

  it('trap 21: while the venue does not say whose account it is nothing is cancelled or closed, and once it says so everything is', async () => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    let answers = false;
    scene.worker({
      wrapBroker: (broker) => ({
        ...broker,
        identity: (signal) => (answers ? broker.identity(signal) : Promise.reject(new BrokerUnavailableError('busy'))),
      }),
    });
    await scene.clock.advance(500);
    await scene.panic();
    await scene.clock.advance(5_000);
    expect(sent()).toEqual([]);
    expect(await saidToMatch()).toEqual(new Set([false]));
    answers = true;
    await scene.until(async () => (await scene.completions()).length === 1, 12_000, 'the completion');
    expect(scene.venue.positions().size).toBe(0);
  });
});
