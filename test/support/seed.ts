/** The seed of property tests: `FC_SEED` replays a failure, whose message names its seed. */
export const fcSeed = Number(process.env['FC_SEED'] ?? 20_150_824);
