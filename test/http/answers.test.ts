/** What each request is told, as a function of the gate, the permissions and what the request asks for. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import { answerOf, probeAnswer, refusalAnswer, upgradeAnswer } from '../../src/http/answers.js';
import { type HttpOptions, httpSettings, type RequestFacts, type RequestIntent } from '../../src/http/options.js';
import type { Permission } from '../../src/permission.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { refusalOf, switchable } from '../shutdownGate/support.js';
import { fcSeed } from '../support/seed.js';

const POST: RequestFacts = { method: 'POST', url: '/orders' };

function scene(options: HttpOptions = {}) {
  const gate = createShutdownGate({ clock: new ManualClock() });
  const settings = httpSettings({ gate, ...options });
  return {
    gate,
    settings,
    refuse: (facts: RequestFacts) => refusalAnswer(settings, facts),
    probe: (facts: RequestFacts) => probeAnswer(settings, facts),
  };
}

describe('probes', () => {
  it('readiness flips with the request of the shutdown, liveness never does', () => {
    const { gate, probe } = scene();
    expect(probe({ method: 'GET', url: '/readyz' })).toEqual({ status: 200, headers: {}, body: { status: 'ready' } });
    expect(probe({ method: 'GET', url: '/livez?verbose' })).toEqual({ status: 200, headers: {}, body: { status: 'alive' } });
    gate.tryEnter('a');
    gate.requestShutdown('SIGTERM');
    expect(probe({ method: 'GET', url: '/readyz#x' })).toEqual({
      status: 503,
      headers: { 'retry-after': '1', connection: 'close' },
      body: { error: 'shutting_down', reason: 'SIGTERM', inflight: 1 },
    });
    expect(probe({ method: 'HEAD', url: '/livez' })).toMatchObject({ status: 200 });
  });

  it('are looked at, on their own paths, or not at all', () => {
    const { probe } = scene({ livenessPath: '/health', readinessPath: false });
    expect(probe({ method: 'GET', url: '/health' })?.status).toBe(200);
    expect(
      [
        { method: 'POST', url: '/health' },
        { method: 'GET', url: '/readyz' },
        { method: 'GET', url: '/health/x' },
      ].map(probe),
    ).toEqual([undefined, undefined, undefined]);
  });
});

describe('refusals', () => {
  it('trap 20: a halted switch refuses what adds risk with 409 and its code; reads, cancels and reductions pass', () => {
    const killSwitch = switchable('kill_switch');
    const { refuse } = scene({ killSwitch });
    expect(refuse(POST)).toBeUndefined();
    killSwitch.code = 'kill_switch_enabled';
    expect(refuse(POST)).toEqual({
      status: 409,
      headers: {},
      body: { error: 'kill_switch_enabled', source: 'test', reason: 'says kill_switch_enabled' },
    });
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE']) expect(refuse({ method, url: '/orders/1' })).toBeUndefined();
    for (const method of ['PUT', 'PATCH', 'BREW', '']) expect(refuse({ method, url: '/orders/1' })?.status).toBe(409);
  });

  it('after the gate was shut only reading passes, whatever the permissions say', () => {
    const killSwitch = switchable('kill_switch');
    killSwitch.code = 'kill_switch_enabled';
    const { gate, refuse } = scene({ killSwitch, retryAfterMs: 2_001 });
    gate.requestShutdown('SIGTERM');
    const told = { status: 503, headers: { 'retry-after': '3', connection: 'close' }, body: { error: 'shutting_down', reason: 'SIGTERM' } };
    expect([refuse(POST), refuse({ method: 'DELETE', url: '/' })]).toEqual([told, told]);
    expect(refuse({ method: 'GET', url: '/orders' })).toBeUndefined();
  });

  it('an upgrade is the program’s own affair until the gate is shut', () => {
    const killSwitch = switchable('kill_switch');
    killSwitch.code = 'kill_switch_enabled';
    const { gate, settings } = scene({ killSwitch });
    expect(upgradeAnswer(settings)).toBeUndefined();
    gate.requestShutdown('SIGTERM');
    expect(upgradeAnswer(settings)).toMatchObject({ status: 503, body: { error: 'shutting_down' } });
  });

  it('several permissions: the first in the order of precedence is told; the switch comes first among equals', () => {
    const killSwitch: Permission = {
      name: 'switch',
      check: () => ({ ...refusalOf('kill_switch_enabled'), source: 'switch', sinceWallMs: 7 }),
    };
    const other: Permission = { name: 'other', check: () => refusalOf('kill_switch_enabled') };
    expect(scene({ killSwitch, permissions: [other] }).refuse(POST)?.body).toMatchObject({ source: 'switch', sinceWallMs: 7 });
    const halted: Permission = { name: 'state', check: () => refusalOf('trading_halted') };
    expect(scene({ killSwitch, permissions: [halted] }).refuse(POST)?.body).toMatchObject({ error: 'trading_halted' });
  });

  it('S3: a permission, an intent or a clock that fails refuses', () => {
    const fails = () => {
      throw new Error('no contact');
    };
    expect(scene({ killSwitch: { name: 'broken', check: fails } }).refuse(POST)?.body).toMatchObject({
      error: 'trading_halted',
      source: 'broken',
    });
    const killSwitch: Permission = { name: 'on', check: () => refusalOf('kill_switch_enabled') };
    expect(scene({ killSwitch, intent: fails }).refuse({ method: 'GET', url: '/' })?.status).toBe(409);
    expect(scene({ killSwitch, intent: () => 'raed' as never }).refuse({ method: 'GET', url: '/' })?.status).toBe(409);
    const clock = Object.assign(new ManualClock(), { monotonicMs: fails });
    const gate = createShutdownGate({ clock });
    expect(scene({ gate, killSwitch }).refuse(POST)).toMatchObject({ status: 409, body: { error: 'trading_halted', source: 'http' } });
  });

  it('S1, S10: any intent, any gate, any switch', () => {
    const intents: readonly RequestIntent[] = ['read', 'cancel', 'reduce', 'increase'];
    fc.assert(
      fc.property(fc.constantFrom(...intents), fc.boolean(), fc.boolean(), (intent, shut, halted) => {
        const killSwitch = switchable('kill_switch');
        killSwitch.code = halted ? 'kill_switch_enabled' : undefined;
        const { gate, refuse } = scene({ killSwitch, intent: () => intent });
        if (shut) gate.requestShutdown('stop');
        const expected = intent === 'read' ? undefined : shut ? 503 : halted && intent === 'increase' ? 409 : undefined;
        expect(refuse(POST)?.status).toBe(expected);
      }),
      { seed: fcSeed },
    );
  });

  it('the refusal of an order door becomes an answer', () => {
    expect(answerOf(refusalOf('shutdown_requested'))).toEqual({
      status: 503,
      headers: { 'retry-after': '1', connection: 'close' },
      body: { error: 'shutting_down', reason: 'says shutdown_requested' },
    });
    expect(answerOf(refusalOf('circuit_breaker_losses'))).toMatchObject({ status: 409, body: { error: 'circuit_breaker_losses' } });
    const partly = { code: 'not_reducing', source: 'guard', reason: 'it would flip', maxQuantity: 3 } as const;
    expect(answerOf(partly)).toMatchObject({ status: 409, body: { error: 'not_reducing', maxQuantity: 3 } });
  });
});

describe('wrong use', () => {
  it.each([
    ['killSwitch', { killSwitch: undefined }],
    ['killSwitch', { killSwitch: { isHalted: () => true } }],
    ['killSwitch', { killSwitch: { name: 1, check: () => undefined } }],
    ['permissions', { permissions: {} }],
    ['permissions[0]', { permissions: [null] }],
    ['intent', { intent: 'read' }],
    ['livenessPath', { livenessPath: 'livez' }],
    ['livenessPath', { livenessPath: '' }],
    ['readinessPath', { readinessPath: '/ready?x' }],
    ['readinessPath', { readinessPath: '/livez' }],
    ['retryAfterMs', { retryAfterMs: -1 }],
    ['noticeMs', { noticeMs: Number.NaN }],
    ['closeTimeoutMs', { closeTimeoutMs: 2 ** 31 }],
    ['killswitch', { killswitch: {} }],
  ])('names %s (%#)', (field, options) => {
    expect(() => httpSettings(options as never)).toThrow(expect.objectContaining({ name: ConfigurationError.name, field }));
  });
});
