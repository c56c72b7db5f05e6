/** Layers that can be taken away whole, so that another is seen to hold alone, or a bug shows that they hide together. */
import { intactWorld, type MakeParts } from '../world/parts.js';
import type { WorldSetup } from '../world/setup.js';

export const LAYERS = ['lease', 'kill-switch', 'breakers', 'reduce-only', 'order-expiry', 'second-worker', 'memory'] as const;
export type Layer = (typeof LAYERS)[number];

interface Without {
  readonly setup?: Partial<WorldSetup>;
  readonly parts?: MakeParts;
}

const WITHOUT: Readonly<Record<Layer, Without>> = {
  // The kill switch on the bus is then all that stops a strategy.
  lease: {
    setup: { killSwitch: true },
    parts: () => ({ ...intactWorld, permission: () => ({ name: 'no-lease', check: () => undefined }) }),
  },
  breakers: { parts: () => ({ ...intactWorld, breakerPermission: () => ({ name: 'no-breakers', check: () => undefined }) }) },
  'kill-switch': { setup: { killSwitch: false } },
  // The venue refuses the flag, so that nothing caps a close.
  'reduce-only': { setup: { reduceOnly: 'rejected' } },
  'order-expiry': { setup: { orderExpiryMs: 0 } },
  'second-worker': { setup: { workers: 1, watchdogs: 1 } },
  memory: { parts: () => ({ ...intactWorld, keepsFiles: false }) },
};

export function withoutLayer(layer: Layer): { readonly setup?: Partial<WorldSetup>; readonly run?: { readonly parts: MakeParts } } {
  const { setup, parts } = WITHOUT[layer];
  return { ...(setup === undefined ? {} : { setup }), ...(parts === undefined ? {} : { run: { parts } }) };
}
