/** The process's two outputs, for which a reader that has gone away is no error. */

export interface Output {
  /** One line on standard output. */
  out(line: string): void;
  /** One line on standard error. */
  err(line: string): void;
  /** Whether colours may be used on standard output. */
  readonly colours: boolean;
}

/** `failflat status | head -1` must not end in a stack trace, and no reader may end a role. */
function ignoreGoneReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

/** `noColour`: the value of NO_COLOR; set and not empty, it forbids colours. */
export function systemOutput(noColour: string | undefined): Output {
  ignoreGoneReaders();
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    colours: process.stdout.isTTY && (noColour === undefined || noColour === ''),
  };
}
