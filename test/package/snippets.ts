/** Takes the TypeScript out of the documentation and compiles all of it at once, as a user of the package would. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { REPOSITORY } from './packed.js';

export interface Snippet {
  /** `docs/bus.md:26`: the page and the line on which the code begins. */
  readonly place: string;
  readonly code: string;
}

/** README and every page of docs, as paths below the repository. */
export function pages(): string[] {
  return ['README.md', ...readdirSync(join(REPOSITORY, 'docs')).map((name) => `docs/${name}`)];
}

export function readPage(page: string): string {
  return readFileSync(join(REPOSITORY, page), 'utf8');
}

export function snippetsOf(page: string, text: string): Snippet[] {
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => ({
    place: `${page}:${text.slice(0, match.index).split('\n').length + 1}`,
    code: match[1] ?? '',
  }));
}

// What a reader has around the snippet: an exchange, a strategy, a log.
const SURROUNDINGS = `
import type { Broker, Permission, ReduceProof } from 'failflat';
declare global {
  interface Order { readonly clientOrderId: string; readonly symbol: string; readonly reduceOnly: boolean }
  interface Fill { readonly quantity: number }
  const order: Order;
  const exchange: { send(order: Order): Promise<Fill> };
  const venueClient: { createOrder(order: Order): Promise<Fill>; cancelOrder(id: string): Promise<void>; fetchBalance(): Promise<number> };
  const broker: Broker;
  const killSwitch: Permission;
  const strategy: { orders(signal: AbortSignal): AsyncIterable<Order> };
  const book: { readonly apply: (fill: Fill) => void; readonly unresolved: (error: unknown) => void };
  const positions: { proofFor(order: Order): ReduceProof | undefined };
  const reconcile: (order: Order) => Promise<void>;
  const stop: AbortController;
  const log: { warn(details: unknown): void };
}
`;

function compilerOptions(): ts.CompilerOptions {
  const path = join(REPOSITORY, 'tsconfig.json');
  const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, REPOSITORY, undefined, path);
  const paths = {
    failflat: ['./src/index.ts'],
    'failflat/brokers/paper': ['./src/brokers/paper/index.ts'],
    'failflat/chaos': ['./src/chaos/index.ts'],
    'failflat/fastify': ['./src/http/fastify.ts'],
    'failflat/testing': ['./src/testing/index.ts'],
  };
  return { ...options, noEmit: true, noUnusedLocals: false, noUnusedParameters: false, pathsBasePath: REPOSITORY, paths };
}

/** One line for each error, by the place in the documentation. */
export function compileErrors(snippets: readonly Snippet[]): string[] {
  const virtual = new Map<string, string>([[join(REPOSITORY, 'docs/surroundings.ts'), SURROUNDINGS]]);
  const places = new Map<string, string>();
  for (const [index, { place, code }] of snippets.entries()) {
    const path = join(REPOSITORY, `docs/snippet-${index}.ts`);
    virtual.set(path, `${code}\nexport {};\n`);
    places.set(path, place);
  }
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => virtual.has(path) || fileExists.call(host, path);
  host.readFile = (path) => virtual.get(path) ?? readFile.call(host, path);
  const program = ts.createProgram([...virtual.keys()], options, host);
  // Only what stands in the documentation: the sources have a check of their own.
  return [...virtual.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return found.map(({ messageText, start = 0 }) => {
      const line = file?.getLineAndCharacterOfPosition(start).line ?? 0;
      return `${places.get(path) ?? 'surroundings'} + ${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}
