/** Printable ASCII; what begins with a space or "!" is the store's own. */
const STATE_KEY = /^["-~][ -~]*$/;

/** All keys of the state, and nothing of the store's own. */
export const STATE_KEYS = { gte: '"', lt: "\x7f" } as const;

export function isStateKey(key: string): boolean {
  return STATE_KEY.test(key);
}
