/** The folders whose tests are held to a mutation score, and the score. */
export const FOLDERS = ['shutdownGate', 'killSwitch', 'tradingLease', 'process', 'breakers', 'ledger'];
export const SCORE_MIN = 90;
