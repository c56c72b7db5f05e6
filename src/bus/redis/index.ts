/** `failflat/redis`: the bus on Redis, for those who hand in a client of their own or name the adapter itself. */
export { createRedisBus, type HandedInBusOptions, type HandedInClient, type HandedInOptions } from './handedIn.js';
export { openRedis, type RedisBusOptions } from './openRedis.js';
