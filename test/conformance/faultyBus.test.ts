import { createMemoryBus } from '../../src/bus/memory.js';
import { type FaultyBus, faultyBus } from '../../src/testing/faultyBus.js';
import { busConformance } from './busConformance.js';

// While no fault is set nobody may notice it; in an outage it behaves as a bus in an outage must.
busConformance('a bus that fails on command', async () => {
  const bus = createMemoryBus();
  const handles: FaultyBus[] = [];
  return {
    open: async () => {
      const handle = faultyBus(bus.handle());
      handles.push(handle);
      return handle;
    },
    corrupt: async (stream) => bus.corrupt(stream),
    spoilLatch: async (key) => bus.spoilLatch(key),
    cutContact: async () => {
      for (const { faults } of handles) faults.contact = 'fails';
    },
    dispose: async () => {},
  };
});
