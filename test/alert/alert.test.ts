import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Alert, type AlertSink, alertWithoutWaiting, combineAlerts } from '../../src/alert/alert.js';
import { commandAlert } from '../../src/alert/commandAlert.js';
import { webhookAlert } from '../../src/alert/webhookAlert.js';
import { silentLogger } from '../../src/logger.js';
import { eventually } from '../support/eventually.js';

const alert: Alert = {
  kind: 'watchdog.panic',
  severity: 'critical',
  incident: 'default@3',
  account: 'default',
  summary: 'panic_close for default',
  details: { rule: 'missing' },
  wallMs: 1_440_374_400_000,
};

let servers: Server[] = [];
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  servers = [];
});

/** A receiver that answers the n-th request with the n-th status; 0 never answers. */
async function receiver(statuses: readonly number[]): Promise<{ url: string; got: { body: unknown; key: unknown }[] }> {
  const got: { body: unknown; key: unknown }[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      const status = statuses[got.length] ?? 200;
      got.push({ body: JSON.parse(text), key: request.headers['idempotency-key'] });
      if (status !== 0) response.writeHead(status).end();
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}/hook`, got };
}

describe('webhook', () => {
  it('L7: posts one JSON document with a key by which a repeat can be dropped', async () => {
    const { url, got } = await receiver([]);
    await webhookAlert(url).send(alert);
    expect(got).toEqual([{ body: { ...alert, dedupeKey: 'watchdog.panic/default@3/' }, key: 'watchdog.panic/default@3/' }]);
  });

  it('tries twice, under the same key, and then says so', async () => {
    const once = await receiver([500]);
    await webhookAlert(once.url).send(alert);
    expect(once.got.map(({ key }) => key)).toEqual(['watchdog.panic/default@3/', 'watchdog.panic/default@3/']);
    const never = await receiver([500, 503]);
    await expect(webhookAlert(never.url).send(alert)).rejects.toThrow('answered 503');
    expect(never.got).toHaveLength(2);
  });

  it('does not wait for a receiver that never answers', async () => {
    const { url, got } = await receiver([0, 200]);
    await webhookAlert(url, { timeoutMs: 500 }).send(alert);
    expect(got).toHaveLength(2);
  });

  it('wrong options name field, value and bound', () => {
    expect(() => webhookAlert('ftp://x')).toThrow('alert.url = "ftp://x": must be an http or https URL');
    expect(() => commandAlert([])).toThrow('alert.command[0] = undefined: must be a text that is not empty');
  });
});

describe('command', () => {
  it('L7: starts the program without a shell, the alert on its standard input', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'failflat-alert-'));
    const file = join(directory, 'out; echo $HOME');
    const script = 'process.stdin.pipe(require("node:fs").createWriteStream(process.argv[1]))';
    await commandAlert([process.execPath, '-e', script, file]).send(alert);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ kind: 'watchdog.panic', incident: 'default@3' });
    await rm(directory, { recursive: true });
  });

  it('a program that fails, is missing, hangs or never reads is an error of its own, in time', async () => {
    const big = { ...alert, details: { text: 'x'.repeat(1_000_000) } };
    await expect(commandAlert([process.execPath, '-e', 'process.exit(3)']).send(big)).rejects.toThrow('ended with code 3');
    await expect(commandAlert(['/nonexistent/program']).send(alert)).rejects.toThrow('ENOENT');
    await expect(commandAlert([process.execPath, '-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 200 }).send(alert)).rejects.toThrow(
      'not done within 200 ms',
    );
  });
});

describe('several sinks', () => {
  const failing: AlertSink = { send: () => Promise.reject(new Error('down')) };
  const throwing: AlertSink = {
    send: () => {
      throw new Error('broken');
    },
  };

  it('S13: what one sink does never reaches another; only if all fail it is a failure', async () => {
    const got: Alert[] = [];
    const good: AlertSink = { send: async (sent) => void got.push(sent) };
    await combineAlerts(failing, throwing, good).send(alert);
    expect(got).toEqual([alert]);
    await expect(combineAlerts(failing, throwing).send(alert)).rejects.toThrow('no alert went out: down; broken');
  });

  it('S13: a safety path never hears of a sink that fails, but the log does', async () => {
    const problems: object[] = [];
    const logger = { ...silentLogger, error: (details: object) => void problems.push(details) };
    alertWithoutWaiting(throwing, alert, logger);
    alertWithoutWaiting(failing, alert, logger);
    await eventually(() => problems.length === 2);
    expect(problems).toEqual([
      { alert: 'watchdog.panic', problem: 'broken' },
      { alert: 'watchdog.panic', problem: 'down' },
    ]);
  });
});
