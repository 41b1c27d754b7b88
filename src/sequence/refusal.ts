import type { RefusalCode, Refused } from "./result.js";

/** @param field the field it is about, as the command names it; "" if none. */
export function refused(code: RefusalCode, field: string, detail: string): Refused {
  return { kind: "refused", code, field, detail };
}

export function invalid(field: string, detail: string): Refused {
  return refused("VALIDATION_ERROR", field, detail);
}

const CODES: Readonly<Record<RefusalCode, true>> = {
  VALIDATION_ERROR: true,
  NOT_FOUND: true,
  CONFLICT: true,
  EXHAUSTED: true,
  PRECONDITION_FAILED: true,
  IDEMPOTENCY_MISMATCH: true,
  NOT_EXECUTED: true,
};

export function isRefusalCode(text: string): text is RefusalCode {
  return Object.hasOwn(CODES, text);
}
