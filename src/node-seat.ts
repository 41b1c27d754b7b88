import type { Logger } from "pino";
import type { Config, NodeConfig } from "./config.js";
import { OperatingFailure } from "./failure.js";
import { reminding } from "./join-reminder.js";
import { becomeVoter, type ClaimedSeat, claimSeat, type Joining, join, type Promotion } from "./joining.js";
import type { NodeAdministration } from "./node-administration.js";
import { requirePorts } from "./node-ports.js";
import { writeClaim } from "./seat-claim.js";
import { systemRandomness } from "./system-ports.js";
import { PeerClient } from "./transport/peer-client.js";
import type { PeerAddress } from "./transport/transport.js";
import { WaitingRoom } from "./waiting-room.js";

/** A node that is told to stop has little time; what is left undone then, the next start does. */
const LEAVE_MS = 5000;

/** Under which id and store the node starts: as configured, or as the cluster that it joins assigns it. */
export async function claimNodeSeat(config: Config, logger: Logger): Promise<ClaimedSeat> {
  if (config.join.length > 0) {
    await requirePorts(config);
    return asking(config, logger, (joining) => claimSeat(joining, config.nodeId));
  }
  if (config.nodeId === "auto") throw new Error("the configuration lets only a node that joins have its id assigned");
  return { nodeId: config.nodeId, store: undefined };
}

/** Asks the cluster to let this empty node in. @returns its members: whom to keep streams with until it has its seat */
export async function joinCluster(
  config: NodeConfig,
  storeId: string,
  logger: Logger,
): Promise<readonly PeerAddress[]> {
  const seat = { nodeId: config.nodeId, storeId };
  const { members } = await asking(config, logger, (joining) => join(joining, seat));
  return members.filter(({ id }) => id !== config.nodeId).map(({ id, address }) => ({ id, address }));
}

/** Whoever looks at the node meanwhile finds it at its REST port, and why it is not ready. */
async function asking<Result>(
  config: Config,
  logger: Logger,
  work: (joining: Joining) => Promise<Result>,
): Promise<Result> {
  const room = await WaitingRoom.open(config);
  const joining = joiningOf(config, logger);
  const notice = (message: string): void => {
    room.tell(message);
    joining.notice(message);
  };
  try {
    return await reminding({ ...joining, notice }, { warn: (message) => logger.warn(message) }, work);
  } finally {
    await room.close();
  }
}

function joiningOf(config: Config, logger: Logger): Joining {
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

/** What a node that joined does about its seat while it runs. */
export class NodeSeat {
  readonly #config: NodeConfig;
  readonly #storeId: string;
  readonly #logger: Logger;
  readonly #administration: NodeAdministration;
  readonly #kind: () => "voter" | "learner" | undefined;
  #promotion: Promotion | undefined;

  constructor(options: {
    readonly config: NodeConfig;
    readonly storeId: string;
    readonly logger: Logger;
    readonly administration: NodeAdministration;
    /** Of the seat that this node has; undefined without one. */
    readonly kind: () => "voter" | "learner" | undefined;
  }) {
    this.#config = options.config;
    this.#storeId = options.storeId;
    this.#logger = options.logger;
    this.#administration = options.administration;
    this.#kind = options.kind;
  }

  /** Asks for a vote, if this node is to have one. */
  start(): void {
    const { join: addresses, voter, nodeId } = this.#config;
    if (addresses.length === 0 || !voter) return;
    this.#promotion = becomeVoter(joiningOf(this.#config, this.#logger), nodeId, this.#kind);
  }

  stop(): void {
    this.#promotion?.stop();
  }

  /**
   * Gives the seat up, if that is what this node does when it stops. What is attempted is noted first: if the answer
   * does not come, the next start finishes it.
   * @returns whether the directory counts no more
   */
  async giveUp(): Promise<boolean> {
    const { dataDir, nodeId, leave } = this.#config;
    if (!leave || this.#kind() !== "learner") return false;
    await writeClaim(dataDir, { storeId: this.#storeId, nodeId, stage: "leaving" });
    try {
      const outcome = await this.#administration.changeMembers({ kind: "remove", id: nodeId }, LEAVE_MS);
      if (outcome.kind !== "refused") {
        this.#logger.info("this learner has given its seat up");
        return true;
      }
      this.#logger.warn({ reason: outcome.detail }, "the seat could not be given up yet; the next start does");
    } catch (error) {
      if (!(error instanceof OperatingFailure)) throw error;
      this.#logger.warn({ reason: error.message }, "the seat could not be given up in time; the next start does");
    }
    return false;
  }
}
