/** The folders whose tests are held to a mutation score, each with the tests that judge it, and the score. */
const JUDGES = {
  shutdownGate: ['shutdownGate/**/*', 'incidents/trap{13,20,22,23,24,25,26,30,36,52}*'],
  killSwitch: ['killSwitch/**/*', 'incidents/trap{12,13,30}*'],
  tradingLease: ['tradingLease/**/*', 'incidents/trap{49,50}*'],
  process: ['process/**/*', 'incidents/trap52*'],
  breakers: ['breakers/**/*', 'incidents/trap{17,18,19}*'],
  ledger: ['{ledger,breakers}/**/*', 'incidents/trap18*'],
};

export const FOLDERS = Object.keys(JUDGES);
export const SCORE_MIN = 90;

/** The folder that MUTATED_FOLDER names. */
export function mutatedFolder() {
  const folder = process.env.MUTATED_FOLDER;
  if (folder === undefined || !FOLDERS.includes(folder)) throw new Error(`MUTATED_FOLDER must be one of ${FOLDERS.join(', ')}`);
  return folder;
}

export const judgesOf = (folder) => [...JUDGES[folder], 'mutation/loads'].map((judge) => `test/${judge}.test.ts`);
