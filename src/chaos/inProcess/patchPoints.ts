/** Methods of foreign objects, replaced for a while by any number of engines at once, and exactly restored when the last one leaves. */
import { ConfigurationError } from '../../errors.js';

type Invoke = () => unknown;
/** Stands around the call of a method. */
export type Layer = (self: unknown, args: readonly unknown[], invoke: Invoke) => unknown;

interface PatchPoint {
  readonly dispatcher: (this: unknown, ...args: unknown[]) => unknown;
  /** Undefined where the method was inherited. */
  readonly own: PropertyDescriptor | undefined;
  readonly layers: Set<Layer>;
}

// One table for all engines: two that replaced the same method by themselves could not leave in any order but one.
const points = new WeakMap<object, Map<string, PatchPoint>>();

/** Puts `layer` around `object[method]`, outside of those that stand there already. Throws a ConfigurationError where there is no method. */
export function patchMethod(object: object, method: string, layer: Layer): () => void {
  const ofObject = points.get(object) ?? new Map<string, PatchPoint>();
  const point = ofObject.get(method) ?? open(object, method);
  points.set(object, ofObject);
  ofObject.set(method, point);
  point.layers.add(layer);
  return () => {
    if (!point.layers.delete(layer) || point.layers.size > 0) return;
    ofObject.delete(method);
    restore(object, method, point);
  };
}

function open(object: object, method: string): PatchPoint {
  const original: unknown = Reflect.get(object, method);
  if (typeof original !== 'function') throw new ConfigurationError('method', method, 'must be the name of a method of the object');
  const layers = new Set<Layer>();
  const dispatcher = function dispatch(this: unknown, ...args: unknown[]): unknown {
    const innermost: Invoke = () => Reflect.apply(original, this, args);
    let invoke = innermost;
    for (const layer of layers) {
      const inner = invoke;
      invoke = () => layer(this, args, inner);
    }
    return invoke();
  };
  Object.defineProperty(dispatcher, 'name', { value: method, configurable: true });
  Object.defineProperty(dispatcher, 'length', { value: original.length, configurable: true });
  const own = Reflect.getOwnPropertyDescriptor(object, method);
  const descriptor = { value: dispatcher, writable: true, configurable: true, enumerable: own?.enumerable ?? false };
  if (!Reflect.defineProperty(object, method, descriptor)) {
    throw new ConfigurationError('method', method, 'must be one that can be replaced');
  }
  return { dispatcher, own, layers };
}

function restore(object: object, method: string, { dispatcher, own }: PatchPoint): void {
  // Somebody else has replaced it since: what they put there is theirs, and what they call is only a passage by now.
  if (Reflect.getOwnPropertyDescriptor(object, method)?.value !== dispatcher) return;
  if (own === undefined) Reflect.deleteProperty(object, method);
  else Reflect.defineProperty(object, method, own);
}
