/** How this process ends: by itself with an exit code, or at once where it cannot. */

/** Success; a verdict that went red on evidence; wrong usage or configuration; it could not be done or judged here. */
export const EXIT_CODES = { ok: 0, red: 1, usage: 2, couldNotRun: 3 } as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** The code with which the process ends once nothing keeps it alive any more. */
export function setExitCode(code: ExitCode): void {
  process.exitCode = code;
}

/** Ends the process now. Only for a process that was told to end and does not, or that cannot go on. */
export function exitNow(code: number): never {
  process.exit(code);
}

/**
 * Until `setExitCode` says better, an end is a failure: also when nothing is left to do in the middle of the work, and when
 * something is thrown that nobody catches. Node would say 0 and 1, which mean success and a red verdict here.
 */
export function failByDefault(report: (thrown: unknown) => void): void {
  setExitCode(EXIT_CODES.couldNotRun);
  process.setUncaughtExceptionCaptureCallback((thrown) => {
    report(thrown);
    exitNow(EXIT_CODES.couldNotRun);
  });
}
