import { normalizeIP } from "@fastify/rate-limit";
import { ANONYMOUS, type Authorisation } from "./api-keys.js";

/** What a call used up of its caller's budget. */
export interface Spent {
  readonly allowed: boolean;
  /** Calls per window. */
  readonly limit: number;
  /** Calls in this window so far, this one included; may exceed the limit. */
  readonly current: number;
  readonly remaining: number;
  /** Until the window ends, ms; more than 0. */
  readonly resetMs: number;
}

/** Both edges of a node spend from one of these, so that a caller has one budget per node. */
export interface RateLimiter {
  /** Calls per window. */
  readonly limit: number;
  readonly windowMs: number;
  spend(key: string): Spent;
}

/** More callers than this within one window share one budget: memory stays bounded. */
const CALLERS_MAX = 100_000;
const OTHERS = "others";
const IPV6_SUBNET_BITS = 64;

export interface FixedWindow {
  readonly limit: number;
  readonly windowMs: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** Counts calls per caller in windows of fixed length that begin at the same time for all. */
export class FixedWindowLimiter implements RateLimiter {
  readonly #window: FixedWindow;
  readonly #counts = new Map<string, number>();
  #windowEnd = Number.NEGATIVE_INFINITY;

  constructor(window: FixedWindow) {
    this.#window = window;
  }

  get limit(): number {
    return this.#window.limit;
  }

  get windowMs(): number {
    return this.#window.windowMs;
  }

  spend(key: string): Spent {
    const { limit, windowMs, now } = this.#window;
    const time = now();
    if (time >= this.#windowEnd) {
      this.#counts.clear();
      this.#windowEnd = (Math.floor(time / windowMs) + 1) * windowMs;
    }
    const counted = this.#counts.has(key) || this.#counts.size < CALLERS_MAX ? key : OTHERS;
    const current = (this.#counts.get(counted) ?? 0) + 1;
    this.#counts.set(counted, current);
    return {
      allowed: current <= limit,
      limit,
      current,
      remaining: Math.max(0, limit - current),
      resetMs: this.#windowEnd - time,
    };
  }
}

/**
 * Whose budget a call spends: the key's if it carried a good one, else the address's. Wrong keys
 * spend the address's, so that guessing is limited.
 * @param address of the peer, without port; IPv6 addresses count by their /64
 */
export function budgetKey(authorisation: Authorisation, address: string): string {
  if (authorisation.ok && authorisation.principal !== ANONYMOUS) return authorisation.principal;
  return `address:${normalizeIP(address, IPV6_SUBNET_BITS)}`;
}
