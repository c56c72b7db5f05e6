/** A watchdog in a process of its own that reports what it costs. */
import { openBus } from '../../src/bus/openBus.js';
import { createWatchdog } from '../../src/watchdog/watchdog.js';

const [, , url = ''] = process.argv;
const bus = await openBus(url);
const watchdog = createWatchdog({ bus, watchdogId: 'bench' });
const ended = new AbortController();
process.on('disconnect', () => ended.abort());
process.on('message', ({ about }: { readonly about: 'cost' | 'sight' }) => {
  // To tell what it sees it looks at every service, which is no part of what watching costs.
  if (about === 'cost') {
    const { user, system } = process.cpuUsage();
    process.send?.((user + system) / 1_000);
  } else {
    const { services, doubt } = watchdog.status();
    process.send?.({ services: services.length, doubt: doubt ?? 'none' });
  }
});
process.send?.('ready');
await watchdog.run(ended.signal);
await bus.close();
