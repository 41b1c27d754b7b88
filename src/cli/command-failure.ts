import type { ExitCode } from "./exit-code.js";

/** A command that works on files could not do what it was asked for: a sentence for whoever asked. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  constructor(
    readonly exitCode: ExitCode,
    message: string,
  ) {
    super(message);
  }
}
