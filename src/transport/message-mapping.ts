import { unreachable } from "../assert.js";
import { fromConfigurationRecord, toConfigurationRecord } from "../configuration-record.js";
import {
  type Message as WireMessage,
  ForwardRejected_Reason as WireReason,
  NodeStatus_Role as WireRole,
} from "../generated/folio/peer/v1/peer.js";
import type { AppendReply, AppendRequest, NodeId, RoleName } from "../raft/types.js";
import type { Forward, ForwardRejected, PeerMessage, StateDigest } from "./transport.js";
import { MalformedFrame } from "./wire.js";

/** The messages that are many; peer-codec.ts writes them itself. */
export type HotMessage = AppendRequest | AppendReply | Forward;

/** The messages that are few: generated code does for them. */
export type RareMessage = Exclude<PeerMessage, HotMessage>;

export function messageToWire(message: RareMessage): WireMessage {
  return { body: bodyToWire(message) };
}

/** The generated encoder writes the fields it knows and no others: from, to and type stay behind. */
function bodyToWire(message: RareMessage): NonNullable<WireMessage["body"]> {
  switch (message.type) {
    case "voteRequest":
      return { $case: "voteRequest", value: message };
    case "voteReply":
      return { $case: "voteReply", value: message };
    case "installSnapshot":
      return { $case: "installSnapshot", value: message };
    case "timeoutNow":
      return { $case: "timeoutNow", value: message };
    case "readRequest":
      return { $case: "readRequest", value: message };
    case "readReply":
      return { $case: "readReply", value: message };
    case "forwardRejected":
      return {
        $case: "forwardRejected",
        value: {
          forwardId: message.forwardId,
          reason: REASON_TO_WIRE[message.reason],
          leaderId: message.leaderId ?? 0,
        },
      };
    case "hello": {
      const { configuration, seen } = message;
      const wire = configuration === undefined ? undefined : toConfigurationRecord(configuration);
      return { $case: "hello", value: { ...message, seen: [...seen], configuration: wire } };
    }
    case "status":
      return {
        $case: "status",
        value: {
          ...message,
          role: ROLE_TO_WIRE[message.role],
          matches: [...message.matches],
          stateDigest: message.stateDigest,
          rowsDigest: message.rowsDigest,
        },
      };
    default:
      return unreachable(message);
  }
}

export interface StreamEnds {
  /** Who is at the other end of the stream: the sender. */
  readonly from: NodeId;
  readonly to: NodeId;
}

/**
 * Undefined for a message of a version that knows more than this one.
 * @throws MalformedFrame
 */
export function messageFromWire(wire: WireMessage, ends: StreamEnds): RareMessage | undefined {
  const { body } = wire;
  switch (body?.$case) {
    case "voteRequest":
    case "voteReply":
    case "installSnapshot":
    case "timeoutNow":
    case "readRequest":
    case "readReply":
      return { type: body.$case, ...ends, ...body.value } as RareMessage;
    case "forwardRejected":
      return {
        type: "forwardRejected",
        forwardId: body.value.forwardId,
        reason: reasonFromWire(body.value.reason),
        leaderId: body.value.leaderId === 0 ? undefined : body.value.leaderId,
      };
    case "hello": {
      const { configuration } = body.value;
      const known = configuration === undefined ? undefined : fromConfigurationRecord(configuration);
      return { type: "hello", ...body.value, configuration: known };
    }
    case "status": {
      const { stateDigest, rowsDigest, role, ...status } = body.value;
      return {
        type: "status",
        ...status,
        role: roleFromWire(role),
        ...(stateDigest === undefined ? {} : { stateDigest: ownDigest(stateDigest) }),
        ...(rowsDigest === undefined ? {} : { rowsDigest: ownDigest(rowsDigest) }),
      };
    }
    default:
      return undefined;
  }
}

/** A status is kept: its hash must not keep the frame that brought it alive. */
function ownDigest({ index, hash }: StateDigest): StateDigest {
  return { index, hash: new Uint8Array(hash) };
}

const REASON_TO_WIRE: Record<ForwardRejected["reason"], WireReason> = {
  notLeader: WireReason.REASON_NOT_LEADER,
  overloaded: WireReason.REASON_OVERLOADED,
  clockSkew: WireReason.REASON_CLOCK_SKEW,
};

/** A newer version may refuse for newer reasons; that the forward was refused stays true. */
function reasonFromWire(reason: WireReason): ForwardRejected["reason"] {
  if (reason === WireReason.REASON_NOT_LEADER) return "notLeader";
  if (reason === WireReason.REASON_CLOCK_SKEW) return "clockSkew";
  return "overloaded";
}

const ROLE_TO_WIRE: Record<RoleName, WireRole> = {
  follower: WireRole.ROLE_FOLLOWER,
  preCandidate: WireRole.ROLE_PRE_CANDIDATE,
  candidate: WireRole.ROLE_CANDIDATE,
  leader: WireRole.ROLE_LEADER,
};

function roleFromWire(role: WireRole): RoleName {
  for (const [name, wire] of Object.entries(ROLE_TO_WIRE)) if (wire === role) return name as RoleName;
  throw new MalformedFrame(`a status names role ${role}, which this version does not know`);
}
