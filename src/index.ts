/** The public face: exports only. */
export type * from './broker/broker.js';
export { BrokerRejectedError, BrokerUnavailableError } from './broker/broker.js';
export type * from './bus/bus.js';
export { BusDoubtError, BusUnavailableError, BusUnsuitableError, FROM_START } from './bus/bus.js';
export { type Clock, systemClock, type Timer, type TimerOptions } from './clock.js';
export { ConfigurationError, FailflatError, type FailflatErrorCode, isFailflatError } from './errors.js';
export type { Logger } from './logger.js';
export type { InFlightView, IntentKind, Permission, Refusal, RefusalCode } from './permission.js';
export { type Random, seededRandom, systemRandom } from './random.js';
