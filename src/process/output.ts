/** The process's two outputs, for which a reader that has gone away is no error. */
import { forgiveOutput } from './events.js';

export interface Output {
  /** One line on standard output. */
  out(line: string): void;
  /** One line on standard error. */
  err(line: string): void;
  /** Whether colours may be used on standard output. */
  readonly colours: boolean;
}

/** `noColour`: the value of NO_COLOR; set and not empty, it forbids colours. */
export function systemOutput(noColour: string | undefined): Output {
  forgiveOutput();
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    colours: process.stdout.isTTY && (noColour === undefined || noColour === ''),
  };
}
