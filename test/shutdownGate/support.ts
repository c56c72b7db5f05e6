/** Calls whose end the test decides, and permissions that answer what the test says. */
import type { Permission, Refusal, RefusalCode } from '../../src/permission.js';

export interface OpenCall<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function openCall<T>(): OpenCall<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

export function refusalOf(code: RefusalCode): Refusal {
  return { code, source: 'test', reason: `says ${code}` };
}

/** Refuses increases, and whatever else is listed, with `code` while it is set. */
export function switchable(name: string): Permission & { code: RefusalCode | undefined; asked: number[] } {
  return {
    name,
    code: undefined,
    asked: [],
    check(nowMs, intent) {
      this.asked.push(nowMs);
      return this.code !== undefined && intent === 'increase' ? refusalOf(this.code) : undefined;
    },
  };
}

export const FC_SEED = Number(process.env['FC_SEED'] ?? 20_150_824);

/** Lets every promise that can settle do so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
