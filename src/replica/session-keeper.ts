import { Group, SessionCommand } from "../generated/folio/log/v1/log.js";
import { type OwnOutcomes, SESSION_MACHINE_ID } from "../machine/replicated-state.js";
import type { NodeId } from "../raft/types.js";

/** The node's session: registered through the log before it serves, and again if it was closed. */
export class SessionKeeper {
  /** Random per start: tells this process's registration from every other's. */
  readonly nonce: string;
  readonly #group: Uint8Array;
  readonly #repeatMs: number;
  #session = 0;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(options: {
    readonly nodeId: NodeId;
    readonly storeId: string;
    readonly nonce: string;
    readonly repeatMs: number;
  }) {
    const { nodeId, storeId, nonce, repeatMs } = options;
    this.nonce = nonce;
    this.#repeatMs = repeatMs;
    const payload = SessionCommand.encode({ body: { $case: "register", value: { nodeId, storeId, nonce } } }).finish();
    const commands = [{ request: 0, machine: SESSION_MACHINE_ID, payload }];
    this.#group = Group.encode({ session: 0, lowWater: 0, commands }).finish();
  }

  /** 0 while none is open. */
  get session(): number {
    return this.#session;
  }

  /** What this node looks for in the entries it applies: its own registration, its own tags. */
  ownOutcomes(callbacks: { readonly opened: () => void; readonly settled: OwnOutcomes["settled"] }): OwnOutcomes {
    const keeper = this;
    return {
      get session() {
        return keeper.#session;
      },
      nonce: this.nonce,
      registered: (session) => {
        if (session === this.#session) return;
        this.#session = session;
        callbacks.opened();
      },
      settled: callbacks.settled,
    };
  }

  closed(): void {
    this.#session = 0;
    this.#sentAt = Number.NEGATIVE_INFINITY;
  }

  /** Another leader: what was sent to the old one may be lost. */
  leaderChanged(): void {
    this.#sentAt = Number.NEGATIVE_INFINITY;
  }

  /** The encoded group to send now; undefined if there is a session, or a registration is on its way. */
  registrationDue(now: number): Uint8Array | undefined {
    if (this.#session !== 0 || now - this.#sentAt < this.#repeatMs) return undefined;
    this.#sentAt = now;
    return this.#group;
  }
}
