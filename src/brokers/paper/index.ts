/** The paper venue's clients: the broker, and the calls that administer the venue and read its books. */
export { createPaperBroker, type PaperBroker } from './broker.js';
export { DEFAULT_TIMEOUT_MS, type PaperBrokerOptions } from './options.js';
export { createVenueClient, type Evidence, type VenueClient, type VenueClientOptions } from './venueClient.js';
export type {
  BarsAnswer,
  FaultSwitch,
  ReplayAnswer,
  ReplayRequest,
  SeedRequest,
  TimeAnswer,
  VenueBar,
  VenueEvent,
  VenueSwitches,
  VenueSwitchesPatch,
} from './wire.js';
