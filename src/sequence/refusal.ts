import type { RefusalCode, Refused } from "./result.js";

/** @param field the field it is about, as the command names it; "" if none. */
export function refused(code: RefusalCode, field: string, detail: string): Refused {
  return { kind: "refused", code, field, detail };
}

export function invalid(field: string, detail: string): Refused {
  return refused("VALIDATION_ERROR", field, detail);
}
