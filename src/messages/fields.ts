/** Reading and writing flat wire fields. A decoder never throws on data: it says what is wrong. */

export type Fields = Readonly<Record<string, string>>;

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/** The version that failflat writes. Readers accept this one and the next. */
export const SCHEMA_VERSION = 1;

/** As seconds this is the year 5138, as milliseconds it is 1973: no clock says either. */
const LARGEST_SECONDS = 1e11;

/** What half a character looks like by itself, and what a whole one is made of that has two. */
const HALF_OR_WHOLE = /[\ud800-\udfff]/;

/** Half of a character, which a cut can leave behind, has no bytes of its own: on the wire it becomes another one. */
export function wellFormed(text: string): string {
  return HALF_OR_WHOLE.test(text) ? text.replaceAll(/\p{Surrogate}/gu, '\u{fffd}') : text;
}

/** Thrown by {@link FieldReader} and caught by {@link decodeWith}; it never leaves this folder. */
class MalformedField extends Error {}

/** Typed access to the fields of one record; the first wrong field ends the decoding. */
export class FieldReader {
  readonly #fields: Fields;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  optional(name: string): string | undefined {
    const value = this.#fields[name];
    return value === undefined || value === '' ? undefined : value;
  }

  text(name: string): string {
    const value = this.optional(name);
    if (value === undefined) throw new MalformedField(`${name} is missing`);
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.text(name);
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw new MalformedField(`${name} = ${JSON.stringify(value)}: must be one of ${allowed.join(', ')}`);
    return found;
  }

  /** A whole number of at least zero. */
  count(name: string): number {
    const value = this.text(name);
    const number = Number(value);
    if (!/^\d{1,16}$/.test(value) || !Number.isSafeInteger(number)) {
      throw new MalformedField(`${name} = ${JSON.stringify(value)}: must be a whole number of at least 0`);
    }
    return number;
  }

  optionalCount(name: string): number | undefined {
    return this.optional(name) === undefined ? undefined : this.count(name);
  }

  /** A finite number of at least zero. */
  amount(name: string): number {
    const value = this.text(name);
    const number = Number(value);
    if (!Number.isFinite(number) || number < 0)
      throw new MalformedField(`${name} = ${JSON.stringify(value)}: must be a number of at least 0`);
    return number;
  }

  /** A time in milliseconds since 1970, written in milliseconds or in seconds, whole or not: which of them, its size tells. */
  moment(name: string): number {
    const value = this.text(name);
    if (!/^\d{1,16}(\.\d{1,9})?$/.test(value)) throw new MalformedField(`${name} = ${JSON.stringify(value)}: must be a time since 1970`);
    const number = Number(value);
    return Math.round(number < LARGEST_SECONDS ? number * 1_000 : number);
  }

  /** A list of texts, as JSON. */
  texts(name: string): readonly string[] {
    const parsed = this.json(name);
    if (!Array.isArray(parsed) || !parsed.every((entry): entry is string => typeof entry === 'string')) {
      throw new MalformedField(`${name}: must be a JSON list of texts`);
    }
    return parsed;
  }

  json(name: string): unknown {
    const value = this.text(name);
    try {
      return JSON.parse(value);
    } catch {
      throw new MalformedField(`${name}: is not JSON`);
    }
  }

  /** What `read` gives; undefined where the field is missing or makes no sense. */
  sensible<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (error instanceof MalformedField) return undefined;
      throw error;
    }
  }

  fail(problem: string): never {
    throw new MalformedField(problem);
  }

  schema(): void {
    const version = this.optional('schema');
    if (version === undefined) throw new MalformedField('schema is missing');
    const number = Number(version);
    if (number !== SCHEMA_VERSION && number !== SCHEMA_VERSION + 1) {
      throw new MalformedField(`schema = ${JSON.stringify(version)}: this version reads ${SCHEMA_VERSION} and ${SCHEMA_VERSION + 1}`);
    }
  }
}

/** Runs a decoder over `fields`: schema first, then whatever it asks for. */
export function decodeWith<T>(fields: Fields, decode: (reader: FieldReader) => T): Decoded<T> {
  return attempt(fields, (reader) => {
    reader.schema();
    return decode(reader);
  });
}

/** The original wire format has the same streams and names, but its records do not tell a schema. */
export function isOriginal(fields: Fields): boolean {
  return fields['schema'] === undefined;
}

/** Runs a decoder over a record in the original format. */
export function decodeOriginal<T>(fields: Fields, decode: (reader: FieldReader) => T): Decoded<T> {
  return attempt(fields, decode);
}

function attempt<T>(fields: Fields, decode: (reader: FieldReader) => T): Decoded<T> {
  const reader = new FieldReader(fields);
  try {
    return { ok: true, value: decode(reader) };
  } catch (error) {
    if (error instanceof MalformedField) return { ok: false, problem: error.message };
    throw error;
  }
}

/** Wire fields from plain values: numbers and booleans become texts, lists and objects JSON, `undefined` is left out. */
export function encode(values: Readonly<Record<string, string | number | boolean | object | undefined>>): Fields {
  const fields: Record<string, string> = { schema: String(SCHEMA_VERSION) };
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) fields[name] = typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
  return fields;
}
