import { createMemoryBus } from '../../src/bus/memory.js';
import { busConformance } from './busConformance.js';

busConformance(
  'the in-process bus',
  async () => {
    const bus = createMemoryBus();
    return {
      open: async () => bus.handle(),
      corrupt: async (stream) => bus.corrupt(stream),
      spoilLatch: async (key) => bus.spoilLatch(key),
      dispose: async () => {},
    };
  },
  { losesContact: false },
);
