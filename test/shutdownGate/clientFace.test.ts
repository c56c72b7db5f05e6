/** The guarded client as an object: what can be read, written, listed and asked of it like of the client itself. */
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import { guardClient } from '../../src/shutdownGate/clientGuard.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import type { GuardEvent } from '../../src/shutdownGate/options.js';

const TAG = Symbol('tag');

class Api {
  calls = 0;
  purge(): number {
    this.calls += 1;
    return this.calls;
  }
}

class Client {
  name: string | undefined = 'exchange';
  readonly [TAG] = () => 'by symbol';
  readonly api = new Api();
  readonly plain = { deep: { purge: () => 'purged' }, data: { a: 1 } };
  readonly bare = Object.assign(Object.create(null) as object, { purge: () => 'purged' }) as { purge: () => string };
  readonly notAFunction = { constructor: 'text', value: 1 };
  readonly nothing = null;
  readonly when = new Date(7);
  readonly tell = 1;

  send(id: string): string {
    return id;
  }

  fetchNothing(): null {
    return null;
  }

  fetchText(): string {
    return 'text';
  }

  fetchStranger(): Api {
    return new Api();
  }
}

function guarded(observe: (event: GuardEvent) => void = () => undefined) {
  const client = new Client();
  return { client, face: guardClient(client, { send: 'increase' }, { gate: createShutdownGate(), observe }) };
}

/** As someone without types uses it. */
type Anything = Record<string | symbol, unknown>;

describe('face of a guarded client', () => {
  it('what the language gives every object passes, and so do members by symbol', () => {
    const { client, face } = guarded();
    const untyped = face as unknown as Anything;
    expect(untyped['constructor']).toBe(Client);
    expect(untyped['hasOwnProperty']).toBe(Object.prototype.hasOwnProperty);
    expect(Object.prototype.toString.call(face)).toBe('[object Object]');
    expect(face[TAG]()).toBe('by symbol');
    expect([face.when.getTime(), face.nothing, face.tell]).toEqual([7, null, 1]);
    expect(face.when).toBe(client.when);
  });

  it('S3: a part is guarded whatever it is made of: a class, plain objects within each other, or an object without a prototype', () => {
    const { client, face } = guarded();
    expect(() => face.api.purge()).toThrow('api.purge is not listed: say whether it increases, reduces, cancels or only reads');
    expect(() => face.plain.deep.purge()).toThrow('plain.deep.purge is not listed');
    expect(() => face.bare.purge()).toThrow('bare.purge is not listed');
    expect(face.plain.data).toBe(client.plain.data);
    expect(face.notAFunction).toBe(client.notAFunction);
    expect(face.api.calls).toBe(0);
    expect(face.api).toBe(face.api);
  });

  it('a question hands on what is no part of the client as it is', () => {
    const { face } = guarded();
    expect([face.fetchNothing(), face.fetchText(), face.fetchStranger().purge()]).toEqual([null, 'text', 1]);
  });

  it('S3: a part that is put in the place of another is guarded as well', () => {
    const { client, face } = guarded();
    const before = face.api;
    Object.assign(face as unknown as Anything, { api: new Api() });
    expect(face.api).not.toBe(before);
    expect(() => face.api.purge()).toThrow('api.purge is not listed');
    expect(client.api.calls).toBe(0);
  });

  it('what is written to it or deleted from it is written to the client, and its shape is its own', () => {
    const { client, face } = guarded();
    const untyped = face as unknown as Anything;
    untyped['name'] = 'other';
    expect(client.name).toBe('other');
    expect(Reflect.deleteProperty(face, 'name')).toBe(true);
    expect(Object.keys(client)).not.toContain('name');
    expect(Reflect.defineProperty(face, 'send', { value: () => 'around' })).toBe(false);
    expect(Reflect.setPrototypeOf(face, null)).toBe(false);
    expect(Reflect.getPrototypeOf(face)).toBe(Client.prototype);
    expect(Reflect.ownKeys(face)).toEqual(Reflect.ownKeys(client));
  });

  it('its descriptors say what it answers', () => {
    const { face } = guarded();
    expect(Reflect.getOwnPropertyDescriptor(face, 'absent')).toBeUndefined();
    expect(Reflect.getOwnPropertyDescriptor(face, 'tell')).toEqual({ value: 1, enumerable: true, configurable: true, writable: true });
    const hidden = Object.defineProperty({ send: () => 1 }, 'secret', { value: 2, enumerable: false });
    const other = guardClient(hidden, { send: 'increase' }, { gate: createShutdownGate() });
    expect(Reflect.getOwnPropertyDescriptor(other, 'secret')?.enumerable).toBe(false);
    expect(Object.keys(other)).toEqual(['send']);
  });

  it('orders are labelled by the path of their method', async () => {
    const events: GuardEvent[] = [];
    const { face } = guarded((event) => void events.push(event));
    expect(await face.send('a')).toBe('a');
    const orders = { orders: { create: () => 1 } };
    const options = { gate: createShutdownGate(), observe: (event: GuardEvent) => void events.push(event) };
    guardClient(orders, { 'orders.create': { intent: 'increase' } }, options).orders.create();
    const labels = events.flatMap((event) => (event.type === 'admitted' ? [event.label] : []));
    expect(labels).toEqual(['send', 'orders.create']);
  });

  it.each<[unknown, object, string]>([
    [null, {}, 'client = null: must be the client of a broker'],
    ['text', {}, 'client = "text": must be the client of a broker'],
    [() => 1, {}, 'must be the client of a broker'],
    [new Client(), { name: 'increase' }, 'methods.name = "exchange": must be a method of the client'],
    [new Client(), { 'name.length': 'increase' }, 'methods.name.length = undefined: must be a method of the client'],
    [new Client(), { 'nothing.send': 'increase' }, 'methods.nothing.send = undefined: must be a method of the client'],
    [new Client(), { send: null }, 'must be one of increase, reduce, cancel, read, or options of a guard'],
    [new Client(), { send: 'buy' }, 'must be one of increase, reduce, cancel, read, or options of a guard'],
  ])('S3: %s with %s is refused in words', (client, methods, words) => {
    const build = (): unknown => Reflect.apply(guardClient, undefined, [client, methods, { gate: createShutdownGate() }]);
    expect(build).toThrow(ConfigurationError);
    expect(build).toThrow(words);
  });
});
