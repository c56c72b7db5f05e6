/** Alerts as an HTTP POST of one JSON document: a timeout, one retry, and a key by which the receiver can drop a repeat. */
import { messageOf } from '../errors.js';
import { type AlertSink, dedupeKey } from './alert.js';
import { checkSinkOptions, checkWebhookUrl, DEFAULT_WEBHOOK_TIMEOUT_MS, type WebhookAlertOptions } from './options.js';

/** Throws a ConfigurationError for a URL that is not http or https. */
export function webhookAlert(url: string, options: WebhookAlertOptions = {}): AlertSink {
  const target = checkWebhookUrl(url);
  const { timeoutMs, clock, logger } = checkSinkOptions(options, DEFAULT_WEBHOOK_TIMEOUT_MS);

  // Loaded now: the first use of a larger client would hold up the process for tens of milliseconds, in the middle of a panic.
  const client = target.protocol === 'https:' ? import('node:https') : import('node:http');

  async function post(body: string, key: string): Promise<void> {
    const { request } = await client;
    const headers = {
      ...options.headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'idempotency-key': key,
    };
    await new Promise<void>((resolve, reject) => {
      const posting = request(target, { method: 'POST', headers }, (response) => {
        const { statusCode = 0 } = response;
        response.on('error', reject).resume();
        // A redirect is not followed: it is no sign that anyone was told.
        if (statusCode >= 200 && statusCode < 300) resolve();
        else reject(new Error(`answered ${statusCode}`));
      });
      const timer = clock.setTimer(timeoutMs, () => posting.destroy(new Error(`no answer within ${timeoutMs} ms`)), { keepAlive: false });
      posting.on('error', reject);
      posting.on('close', () => timer.cancel());
      posting.end(body);
    });
  }

  return {
    send: async (alert) => {
      const key = dedupeKey(alert);
      const body = JSON.stringify({ ...alert, dedupeKey: key });
      try {
        await post(body, key);
      } catch (error) {
        logger.warn({ alert: alert.kind, problem: messageOf(error) }, 'alert: the first attempt failed');
        await post(body, key);
      }
    },
  };
}
