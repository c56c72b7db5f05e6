/** Alerts as an HTTP POST of one JSON document: a timeout, one retry, and a key by which the receiver can drop a repeat. */
import { messageOf } from '../errors.js';
import { type AlertSink, dedupeKey } from './alert.js';
import { checkSinkOptions, checkWebhookUrl, DEFAULT_WEBHOOK_TIMEOUT_MS, type WebhookAlertOptions } from './options.js';

/** Throws a ConfigurationError for a URL that is not http or https. */
export function webhookAlert(url: string, options: WebhookAlertOptions = {}): AlertSink {
  const target = checkWebhookUrl(url);
  const { timeoutMs, clock, logger } = checkSinkOptions(options, DEFAULT_WEBHOOK_TIMEOUT_MS);

  async function post(body: string, key: string): Promise<void> {
    const abort = new AbortController();
    const timer = clock.setTimer(timeoutMs, () => abort.abort(new Error(`no answer within ${timeoutMs} ms`)), { keepAlive: false });
    try {
      const headers = { ...options.headers, 'content-type': 'application/json', 'idempotency-key': key };
      const response = await fetch(target, { method: 'POST', headers, body, signal: abort.signal, redirect: 'error' });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`answered ${response.status}`);
    } finally {
      timer.cancel();
    }
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
