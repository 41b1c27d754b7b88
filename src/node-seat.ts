import type { Logger } from "pino";
import type { Config, NodeConfig } from "./config.js";
import { reminding } from "./join-reminder.js";
import {
  becomeVoter,
  type ClaimedSeat,
  claimSeat,
  Interrupted,
  type Joining,
  join,
  leave,
  type Promotion,
} from "./joining.js";
import { requirePorts } from "./node-ports.js";
import { systemRandomness } from "./system-ports.js";
import { PeerClient } from "./transport/peer-client.js";
import type { PeerAddress } from "./transport/transport.js";
import { WaitingRoom } from "./waiting-room.js";

/** A node that is told to stop has little time; what is left undone then, the next start does. */
const LEAVE_MS = 5000;

/** Under which id and store the node starts: as configured, or as the cluster that it joins assigns it. */
export async function claimNodeSeat(config: Config, logger: Logger, stopping?: AbortSignal): Promise<ClaimedSeat> {
  if (config.join.length > 0) {
    await requirePorts(config);
    return asking({ config, logger, stopping }, (joining) => claimSeat(joining, config.nodeId));
  }
  if (config.nodeId === "auto") throw new Error("the configuration lets only a node that joins have its id assigned");
  return { nodeId: config.nodeId, store: undefined };
}

/**
 * Asks the cluster to let this empty node in.
 * @returns its members: whom to keep streams with until it has its seat
 * @throws Interrupted, having given up what it may have been given, if it is one that leaves
 */
export async function joinCluster(
  { config, logger, stopping }: Asking & { readonly config: NodeConfig },
  storeId: string,
): Promise<readonly PeerAddress[]> {
  const seat = { nodeId: config.nodeId, storeId };
  try {
    const { members } = await asking({ config, logger, stopping }, (joining) => join(joining, seat));
    return members.filter(({ id }) => id !== config.nodeId).map(({ id, address }) => ({ id, address }));
  } catch (error) {
    // It may have been let in just then. Its directory is cleared by the next start, which finds the note of it.
    if (error instanceof Interrupted && config.leave)
      tellLeaving(await leave(joiningOf(config, logger), seat, LEAVE_MS), logger);
    throw error;
  }
}

/** @returns whether the seat is gone */
function tellLeaving(reason: string | undefined, logger: Logger): boolean {
  if (reason === undefined) logger.info("this learner has given its seat up");
  else logger.warn({ reason }, "the seat could not be given up in time; the next start does");
  return reason === undefined;
}

interface Asking {
  readonly config: Config;
  readonly logger: Logger;
  /** Aborted when the node is told to stop. */
  readonly stopping?: AbortSignal | undefined;
}

/** Whoever looks at the node meanwhile finds it at its REST port, and why it is not ready. */
async function asking<Result>(
  { config, logger, stopping }: Asking,
  work: (joining: Joining) => Promise<Result>,
): Promise<Result> {
  const room = await WaitingRoom.open(config);
  const joining = joiningOf(config, logger);
  const notice = (message: string): void => {
    room.tell(message);
    joining.notice(message);
  };
  try {
    return await reminding({ ...joining, notice, stopping }, { warn: (message) => logger.warn(message) }, work);
  } finally {
    await room.close();
  }
}

export function joiningOf(config: Config, logger: Logger): Joining {
  const calls = new PeerClient();
  return {
    ask: (address, request, deadlineMs) => calls.changeMembers(address, request, deadlineMs),
    addresses: config.join,
    address: `${config.advertiseAddress}:${config.peerPort}`,
    dataDir: config.dataDir,
    randomId: systemRandomness.id,
    notice: (message) => logger.info(message),
  };
}

/** The membership as this node knows it. */
export interface KnownMember {
  readonly id: number;
  readonly kind: "voter" | "learner";
  readonly address: string;
}

type SeatConfig = Pick<NodeConfig, "nodeId" | "voter" | "leave">;

/** What a node that joined does about its seat while it runs. */
export class NodeSeat {
  readonly #config: SeatConfig;
  readonly #storeId: string;
  readonly #joining: Joining;
  readonly #logger: Logger;
  readonly #members: () => readonly KnownMember[];
  #promotion: Promotion | undefined;

  constructor(options: {
    readonly config: SeatConfig;
    readonly storeId: string;
    readonly joining: Joining;
    readonly logger: Logger;
    /** Empty while this node has no seat. */
    readonly members: () => readonly KnownMember[];
  }) {
    this.#config = options.config;
    this.#storeId = options.storeId;
    this.#joining = options.joining;
    this.#logger = options.logger;
    this.#members = options.members;
  }

  /** Asks for a vote, if this node is to have one. */
  start(): void {
    const { voter, nodeId } = this.#config;
    if (this.#joining.addresses.length === 0 || !voter) return;
    this.#promotion = becomeVoter({ ...this.#joining, addresses: () => this.#addresses() }, nodeId, () => this.#kind());
  }

  stop(): void {
    this.#promotion?.stop();
  }

  #kind(): KnownMember["kind"] | undefined {
    return this.#members().find(({ id }) => id === this.#config.nodeId)?.kind;
  }

  /** The members first: of those in JOIN none may be left. */
  #addresses(): readonly string[] {
    const others = this.#members().filter(({ id }) => id !== this.#config.nodeId);
    return [...new Set([...others.map(({ address }) => address), ...this.#joining.addresses])];
  }

  /**
   * Gives the seat up, if that is what this node does when it stops; also one that was taken from it, since what it knows
   * of that may be old. One that was made a voter stays.
   * @returns whether the directory counts no more
   */
  async giveUp(): Promise<boolean> {
    const { nodeId, leave: leaves } = this.#config;
    if (!leaves || this.#kind() === "voter") return false;
    const asking = { ...this.#joining, addresses: this.#addresses() };
    return tellLeaving(await leave(asking, { nodeId, storeId: this.#storeId }, LEAVE_MS), this.#logger);
  }
}
