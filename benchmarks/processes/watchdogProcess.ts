/** A watchdog in a process of its own that reports what it costs. */
import { openBus } from '../../src/bus/openBus.js';
import { createWatchdog } from '../../src/watchdog/watchdog.js';

const [, , url = ''] = process.argv;
const bus = await openBus(url);
const watchdog = createWatchdog({ bus, watchdogId: 'bench' });
const ended = new AbortController();
process.on('disconnect', () => ended.abort());
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const { services, doubt } = watchdog.status();
  process.send?.({ cpuMs: (user + system) / 1_000, services: services.length, doubt: doubt ?? 'none' });
});
process.send?.('ready');
await watchdog.run(ended.signal);
await bus.close();
