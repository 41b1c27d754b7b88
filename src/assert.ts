/**
 * A broken invariant: the state of this process can no longer be trusted. Never caught to go on;
 * the process logs it and ends, because a node that is down is safe and a node that is wrong is not.
 */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

/**
 * Asserts what must be true, in production too. The message is a sentence that says what should
 * have held; pass a function where building it costs something, since this sits on hot paths.
 */
export function invariant(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new InvariantViolation(typeof message === "string" ? message : message());
}

/** Proves to the compiler that every case of a union was handled. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unhandled case: ${JSON.stringify(value)}`);
}
