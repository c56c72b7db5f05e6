/** Guards a whole broker client: listed methods pass the door, reads pass by it, and every other call is refused. */
import { ConfigurationError } from '../errors.js';
import type { IntentKind } from '../permission.js';
import { doubt, isIntent } from './door.js';
import { OrderRefusedError } from './errors.js';
import { type GuardedSubmit, guardOrderSubmission } from './guard.js';
import { checkGuardOptions, type GuardOptions } from './options.js';

type AnyFunction = (...args: never[]) => unknown;
type UnknownFunction = (...args: unknown[]) => unknown;

/** What a method does: what its order does, `read` for one that only asks, or the options of its own guard. */
export type ClientMethod<F extends AnyFunction> = IntentKind | 'read' | GuardOptions<Parameters<F>>;

/** By name; a method of a part of the client by its path, as in `orders.create`. */
export type ClientMethods<C> = {
  readonly [K in keyof C as C[K] extends AnyFunction ? K : never]?: C[K] extends AnyFunction ? ClientMethod<C[K]> : never;
} & { readonly [path: `${string}.${string}`]: IntentKind | 'read' | GuardOptions<readonly unknown[]> };

/** The client with its listed methods guarded and branded. */
export type GuardedClient<C, M> = {
  readonly [K in keyof C]: K extends keyof M
    ? C[K] extends AnyFunction
      ? M[K] extends 'read'
        ? C[K]
        : GuardedSubmit<C[K]>
      : C[K]
    : C[K];
};

/** Options of every guarded method; those of the method itself come first. */
export type ClientGuardOptions = Omit<GuardOptions<readonly unknown[]>, 'intent'>;

// What is named as a question is taken for one. A name that joins two verbs, like getOrCreateOrder or get_or_create_order, is not.
const READS = /^(?!.*(?:(?:Or|And)[A-Z]|_(?:or|and)_))(?:list$|(?:fetch|get|list|load|watch|describe|has|is)[A-Z_])/;
const SUBSCRIPTIONS = new Set(['on', 'once', 'off', 'addListener', 'removeListener', 'addEventListener', 'removeEventListener']);

/**
 * `methods` says what each method does. A method that is not listed passes when its name is that of a question (`fetch…`, `get…`,
 * `list…`, `load…`, `watch…`, `describe…`, `has…`, `is…`) or of a subscription; any other throws `OrderRefusedError`
 * before it is called, in every state: a mutator that nobody thought of is not a way around the guard. Methods run on the client
 * itself, so what they call inside is theirs. Throws `ConfigurationError` for a listed name that is no method.
 */
export function guardClient<C extends object, const M extends ClientMethods<C>>(
  client: C,
  methods: M & Readonly<Record<Exclude<keyof M, keyof ClientMethods<C>>, never>>,
  options?: ClientGuardOptions,
): GuardedClient<C, M>;
export function guardClient(
  client: object,
  methods: Readonly<Record<string, unknown>>,
  options: ClientGuardOptions = {},
): Readonly<Record<string, unknown>> {
  if (typeof client !== 'object' || client === null) throw new ConfigurationError('client', client, 'must be the client of a broker');
  checkGuardOptions(guardClient, options);
  const listed = new Map<string, UnknownFunction>();
  for (const [path, what] of Object.entries(methods)) listed.set(path, guardedMethod(client, path, what, options));
  return wrap(client, '', { listed, faces: new WeakMap() });
}

function guardedMethod(client: object, path: string, what: unknown, options: ClientGuardOptions): UnknownFunction {
  const names = path.split('.');
  const owner = names.slice(0, -1).reduce<unknown>(memberOf, client);
  const method = memberOf(owner, names.at(-1) ?? '');
  if (!isFunction(method)) throw new ConfigurationError(`methods.${path}`, method, 'must be a method of the client');
  const call: UnknownFunction = (...args) => Reflect.apply(method, owner, args);
  if (what === 'read') return call;
  if (isIntent(what)) return guardOrderSubmission(call, { label: () => path, ...options, intent: what });
  if (typeof what !== 'object' || what === null)
    throw new ConfigurationError(`methods.${path}`, what, 'must be one of increase, reduce, cancel, read, or options of a guard');
  return guardOrderSubmission(call, { label: () => path, ...options, ...what });
}

function memberOf(owner: unknown, name: string): unknown {
  return typeof owner === 'object' && owner !== null ? Reflect.get(owner, name) : undefined;
}

function isFunction(value: unknown): value is UnknownFunction {
  return typeof value === 'function';
}

/** A part of the client that may hold methods of its own. What the language itself builds (collections, dates) has no way to the venue. */
function isPart(value: unknown, within: ReadonlySet<object> = new Set()): value is object {
  if (typeof value !== 'object' || value === null || within.has(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return !isBuiltIn(value);
  const seen = new Set(within).add(value);
  return Object.values(value).some((member) => isFunction(member) || isPart(member, seen));
}

function isBuiltIn(value: object): boolean {
  const made: unknown = Reflect.get(value, 'constructor');
  return isFunction(made) && /\[native code\]\s*\}$/.test(Function.prototype.toString.call(made));
}

type Face = Readonly<Record<string, unknown>>;

interface Wrapping {
  readonly listed: ReadonlyMap<string, UnknownFunction>;
  /** The guarded face of the client and of each part that was asked for: what a question answers may be one of them. */
  readonly faces: WeakMap<object, Face>;
}

function wrap(part: object, path: string, wrapping: Wrapping): Face {
  const { listed, faces } = wrapping;
  const seen = new Map<string, { readonly value: unknown; readonly made: unknown }>();
  const guarded = (name: string, value: unknown): unknown => {
    const here = path === '' ? name : `${path}.${name}`;
    const method = listed.get(here);
    if (method !== undefined) return method;
    if (name === 'constructor' || value === Reflect.get(Object.prototype, name)) return value;
    const known = seen.get(name);
    if (known !== undefined && known.value === value) return known.made;
    if (!isFunction(value) && !isPart(value)) return value;
    const made = isFunction(value) ? passing(name, value) : wrap(value, here, wrapping);
    seen.set(name, { value, made });
    return made;
  };
  const passing = (name: string, method: UnknownFunction): UnknownFunction => {
    if (!READS.test(name) && !SUBSCRIPTIONS.has(name)) return refusing(path === '' ? name : `${path}.${name}`);
    return (...args) => handedOut(Reflect.apply(method, part, args));
  };
  // A question that answers the client, for chaining, or a part of it must not hand out the unguarded one.
  const handedOut = (answer: unknown): unknown => {
    if (answer instanceof Promise) return answer.then(handedOut);
    if (typeof answer !== 'object' || answer === null) return answer;
    const name = Object.keys(part).find((key) => Object.getOwnPropertyDescriptor(part, key)?.value === answer);
    return faces.get(answer) ?? (name === undefined ? answer : guarded(name, answer));
  };
  // The face stands on an object of its own: a frozen client would otherwise insist on its unguarded methods.
  const face: Record<string, unknown> = {};
  Reflect.setPrototypeOf(face, Reflect.getPrototypeOf(part));
  const member = (name: string | symbol): unknown => {
    const value: unknown = Reflect.get(part, name);
    return typeof name === 'symbol' ? value : guarded(name, value);
  };
  const proxy = new Proxy(face, {
    get: (_face, name) => member(name),
    set: (_face, name, value) => Reflect.set(part, name, value),
    has: (_face, name) => Reflect.has(part, name),
    deleteProperty: (_face, name) => Reflect.deleteProperty(part, name),
    defineProperty: () => false,
    setPrototypeOf: () => false,
    ownKeys: () => Reflect.ownKeys(part),
    getOwnPropertyDescriptor: (_face, name) => {
      const own = Reflect.getOwnPropertyDescriptor(part, name);
      if (own === undefined) return undefined;
      return { value: member(name), enumerable: own.enumerable ?? false, configurable: true, writable: true };
    },
  });
  if (!faces.has(part)) faces.set(part, proxy);
  return proxy;
}

function refusing(path: string): UnknownFunction {
  return () => {
    throw new OrderRefusedError(doubt('client_guard', `${path} is not listed: say whether it increases, reduces, cancels or only reads`));
  };
}
