import { hash, timingSafeEqual } from "node:crypto";

/** What a call needs its caller to be. */
export type AccessLevel = "client" | "admin";

/** The principal of calls that need no key and carry none. */
export const ANONYMOUS = "anonymous";

export type Authorisation =
  | {
      readonly ok: true;
      /** ANONYMOUS, or a name of the key that does not give the key away. */
      readonly principal: string;
    }
  | {
      readonly ok: false;
      readonly refusal: {
        readonly code: "UNAUTHENTICATED" | "FORBIDDEN";
        /** A sentence for the caller. */
        readonly detail: string;
      };
    };

interface HeldKey {
  readonly digest: Buffer;
  readonly authorisation: Authorisation & { readonly ok: true };
}

/** Longer than any key in use, and short enough to be hashed in passing. */
const KEY_LENGTH_MAX = 512;
const PRINCIPAL_DIGITS = 8;

/**
 * Who is calling, by X-API-Key (REST) or x-api-key (gRPC metadata). Only SHA-256 digests are held.
 * A presented key is hashed once and compared with every held digest by timingSafeEqual, without
 * stopping at a match, so that the time taken says nothing about any key. Results are not cached:
 * a lookup by the presented text would not be constant time, and the digest costs about a microsecond.
 */
export class ApiKeys {
  readonly #clients: readonly HeldKey[];
  readonly #admins: readonly HeldKey[];
  readonly #anonymous: Authorisation = { ok: true, principal: ANONYMOUS };

  constructor(keys: { readonly clients: readonly string[]; readonly admins: readonly string[] }) {
    this.#clients = keys.clients.map(held);
    this.#admins = keys.admins.map(held);
  }

  /**
   * Without client keys, client calls are open to everybody; without administrator keys,
   * administrator calls are refused. An administrator's key serves for client calls, too.
   * @param key as presented; undefined or empty when there is none
   */
  authorise(key: string | undefined, needed: AccessLevel): Authorisation {
    if (needed === "admin" && this.#admins.length === 0) {
      return refused("FORBIDDEN", "administrator calls are refused: this node has no ADMIN_API_KEYS");
    }
    const open = needed === "client" && this.#clients.length === 0;
    if (key === undefined || key === "") {
      return open ? this.#anonymous : refused("UNAUTHENTICATED", "this call needs a key in X-API-Key");
    }
    if (open && this.#admins.length === 0) return this.#anonymous;
    return this.#compare(key, needed, open);
  }

  #compare(key: string, needed: AccessLevel, open: boolean): Authorisation {
    if (key.length > KEY_LENGTH_MAX) return open ? this.#anonymous : unknownKey();
    const digest = digestOf(key);
    const admin = match(this.#admins, digest);
    const client = match(this.#clients, digest);
    if (admin !== undefined) return admin.authorisation;
    if (client === undefined) return open ? this.#anonymous : unknownKey();
    if (needed === "admin") return refused("FORBIDDEN", "this call needs an administrator's key");
    return client.authorisation;
  }
}

function match(held: readonly HeldKey[], digest: Buffer): HeldKey | undefined {
  let found: HeldKey | undefined;
  for (const candidate of held) {
    if (timingSafeEqual(candidate.digest, digest)) found = candidate;
  }
  return found;
}

function held(key: string): HeldKey {
  const digest = digestOf(key);
  const principal = `key:${digest.toString("hex").slice(0, PRINCIPAL_DIGITS)}`;
  return { digest, authorisation: { ok: true, principal } };
}

function digestOf(key: string): Buffer {
  return hash("sha256", key, "buffer");
}

function unknownKey(): Authorisation {
  return refused("UNAUTHENTICATED", "the key in X-API-Key is not known here");
}

function refused(code: "UNAUTHENTICATED" | "FORBIDDEN", detail: string): Authorisation {
  return { ok: false, refusal: { code, detail } };
}
