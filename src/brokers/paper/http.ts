/** One JSON call over HTTP with a deadline on the injected clock. It never retries. */
import { Agent, request as httpRequest } from 'node:http';
import type { Clock } from '../../clock.js';
import { messageOf } from '../../errors.js';

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** `sent: false` is proven: the connection was refused, so no byte of the request has left this process. */
export type HttpOutcome =
  | { readonly answered: true; readonly status: number; readonly body: unknown }
  | { readonly answered: false; readonly sent: 'no' | 'perhaps'; readonly detail: string; readonly cause?: unknown };

export interface HttpClient {
  call(call: HttpCall): Promise<HttpOutcome>;
  close(): void;
}

/**
 * A refused `connect` is the kernel's word that there never was a connection; a request is written only to a connection
 * that stands, and this client never sends one twice. Every other failure may have come after the bytes had left.
 */
function isRefusedConnect(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return 'syscall' in error && error.syscall === 'connect' && 'code' in error && error.code === 'ECONNREFUSED';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is not an answer of the venue: the schema of the call will refuse it.
    return undefined;
  }
}

/** Throws nothing for what happens on the wire: the outcome says it. `url` is `http://host:port`. */
export function createHttpClient(url: string, clock: Clock): HttpClient {
  const base = new URL(url);
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 64 });
  const pending = new Set<(detail: string) => void>();
  let closed = false;

  const call = ({ method, path, body, headers, timeoutMs, signal }: HttpCall): Promise<HttpOutcome> =>
    new Promise((resolve) => {
      if (closed || signal?.aborted === true) {
        resolve({ answered: false, sent: 'no', detail: closed ? 'the client is closed' : 'the call was aborted before it was sent' });
        return;
      }
      const text = body === undefined ? '' : JSON.stringify(body);
      const request = httpRequest(
        {
          agent,
          method,
          host: base.hostname,
          port: base.port,
          path,
          headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
        },
        (response) => {
          let answer = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            answer += chunk;
          });
          response.on('end', () => finish({ answered: true, status: response.statusCode ?? 0, body: parsed(answer) }));
          response.on('error', (error) => giveUp(messageOf(error), error));
        },
      );
      const finish = (outcome: HttpOutcome) => {
        timer.cancel();
        pending.delete(abandon);
        signal?.removeEventListener('abort', onAbort);
        resolve(outcome);
      };
      const giveUp = (detail: string, cause?: unknown) =>
        finish({ answered: false, sent: isRefusedConnect(cause) ? 'no' : 'perhaps', detail, ...(cause === undefined ? {} : { cause }) });
      const abandon = (detail: string) => {
        giveUp(detail);
        request.destroy();
      };
      const onAbort = () => abandon('the call was aborted');
      const timer = clock.setTimer(timeoutMs, () => abandon(`no answer within ${timeoutMs} ms`), { keepAlive: false });
      pending.add(abandon);
      signal?.addEventListener('abort', onAbort, { once: true });
      request.on('error', (error) => giveUp(messageOf(error), error));
      request.end(text);
    });

  return {
    call,
    close() {
      closed = true;
      for (const abandon of pending) abandon('the client was closed');
      agent.destroy();
    },
  };
}
