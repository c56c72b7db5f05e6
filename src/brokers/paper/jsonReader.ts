/** Typed access to one JSON value from outside; the first wrong value ends the reading. */

/** A value of another shape than was asked for. `message` says which value, and what it had to be. */
export class MalformedJsonError extends Error {}

export class JsonReader {
  readonly #value: unknown;
  readonly #path: string;

  constructor(value: unknown, path = 'the answer') {
    this.#value = value;
    this.#path = path;
  }

  #fail(needed: string): never {
    throw new MalformedJsonError(`${this.#path} must be ${needed}`);
  }

  #object(): object {
    if (typeof this.#value !== 'object' || this.#value === null || Array.isArray(this.#value)) this.#fail('an object');
    return this.#value;
  }

  /** A member that has to be there. */
  at(name: string): JsonReader {
    const object = this.#object();
    const value: unknown = Object.hasOwn(object, name) ? Reflect.get(object, name) : undefined;
    return new JsonReader(value, `${this.#path}.${name}`);
  }

  /** `undefined` where the member is absent. */
  optional<T>(name: string, read: (member: JsonReader) => T): T | undefined {
    const member = this.at(name);
    return member.#value === undefined ? undefined : read(member);
  }

  text(): string {
    return typeof this.#value === 'string' ? this.#value : this.#fail('a text');
  }

  matching(pattern: RegExp): string {
    const text = this.text();
    return pattern.test(text) ? text : this.#fail(`a text that matches ${pattern}`);
  }

  oneOf<T extends string | boolean>(allowed: readonly T[]): T {
    const found = allowed.find((candidate) => candidate === this.#value);
    return found === undefined ? this.#fail(`one of ${allowed.join(', ')}`) : found;
  }

  boolean(): boolean {
    return this.oneOf([true, false]);
  }

  /** A finite number. */
  number(): number {
    return typeof this.#value === 'number' && Number.isFinite(this.#value) ? this.#value : this.#fail('a number');
  }

  whole(): number {
    const number = this.number();
    return Number.isSafeInteger(number) ? number : this.#fail('a whole number');
  }

  above(bound: number): number {
    const number = this.number();
    return number > bound ? number : this.#fail(`above ${bound}`);
  }

  atLeast(bound: number): number {
    const number = this.number();
    return number >= bound ? number : this.#fail(`at least ${bound}`);
  }

  list<T>(read: (entry: JsonReader) => T): readonly T[] {
    if (!Array.isArray(this.#value)) this.#fail('a list');
    return this.#value.map((entry: unknown, index) => read(new JsonReader(entry, `${this.#path}[${index}]`)));
  }

  map<T>(read: (value: JsonReader) => T): ReadonlyMap<string, T> {
    const entries: readonly [string, unknown][] = Object.entries(this.#object());
    return new Map(entries.map(([key, value]) => [key, read(new JsonReader(value, `${this.#path}.${key}`))]));
  }
}
