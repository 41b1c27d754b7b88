import { fromConfigurationRecord, toConfigurationRecord } from "../configuration-record.js";
import {
  Description as WireDescription,
  ChangeMembersReply_Outcome as WireOutcome,
  ChangeMembersReply as WireReply,
  ChangeMembersRequest as WireRequest,
} from "../generated/folio/peer/v1/peer.js";
import type { NodeId } from "../raft/types.js";
import { NODE_ID_MAX } from "./peer-protocol.js";
import type { ChangeMembersReply, ChangeMembersRequest, Description } from "./transport.js";
import { MalformedFrame } from "./wire.js";

/** What is asked by address, and the answers: a few per day, so the generated code does for them. */

/** Longer than any name of a host with its port, and than any store id. */
const TEXT_BYTES_MAX = 320;

export function encodeChangeRequest(request: ChangeMembersRequest): Buffer {
  return bufferOf(WireRequest.encode({ change: changeToWire(request) }).finish());
}

function changeToWire(request: ChangeMembersRequest): NonNullable<WireRequest["change"]> {
  switch (request.kind) {
    case "add": {
      const { nodeId, storeId, address } = request;
      return { $case: "add", value: { nodeId, storeId, address } };
    }
    case "promote":
      return { $case: "promote", value: { nodeId: request.nodeId } };
    case "remove":
      return { $case: "remove", value: { nodeId: request.nodeId, storeId: request.storeId ?? "" } };
    case "transfer":
      return { $case: "transfer", value: { nodeId: request.nodeId ?? 0 } };
  }
}

/** @throws MalformedFrame with a sentence for whoever asked */
export function decodeChangeRequest(bytes: Uint8Array): ChangeMembersRequest {
  const { change } = readable(() => WireRequest.decode(bytes));
  switch (change?.$case) {
    case "add": {
      const { nodeId, storeId, address } = change.value;
      if (nodeId !== 0) checkNodeId(nodeId);
      checkText("store_id", storeId);
      checkText("address", address);
      return { kind: "add", nodeId, storeId, address };
    }
    case "promote":
      checkNodeId(change.value.nodeId);
      return { kind: "promote", nodeId: change.value.nodeId };
    case "remove": {
      const { nodeId, storeId } = change.value;
      checkNodeId(nodeId);
      if (storeId === "") return { kind: "remove", nodeId };
      checkText("store_id", storeId);
      return { kind: "remove", nodeId, storeId };
    }
    case "transfer": {
      const { nodeId } = change.value;
      if (nodeId !== 0) checkNodeId(nodeId);
      return { kind: "transfer", nodeId: nodeId === 0 ? undefined : nodeId };
    }
    default:
      throw new MalformedFrame("the change of membership is of a kind that this version does not know");
  }
}

function checkNodeId(nodeId: NodeId): void {
  if (nodeId >= 1 && nodeId <= NODE_ID_MAX) return;
  throw new MalformedFrame(`node_id must be from 1 to ${NODE_ID_MAX}, and not ${nodeId}`);
}

function checkText(name: string, text: string): void {
  if (text !== "" && Buffer.byteLength(text) <= TEXT_BYTES_MAX) return;
  throw new MalformedFrame(`${name} must be given, in at most ${TEXT_BYTES_MAX} bytes`);
}

export function encodeChangeReply({ leaderId, configuration, ...reply }: ChangeMembersReply): Buffer {
  const wire: WireReply = {
    ...reply,
    outcome: OUTCOME_TO_WIRE[reply.outcome],
    leaderId: leaderId ?? 0,
    configuration: configuration === undefined ? undefined : toConfigurationRecord(configuration),
  };
  return bufferOf(WireReply.encode(wire).finish());
}

/** @throws MalformedFrame */
export function decodeChangeReply(bytes: Uint8Array): ChangeMembersReply {
  const { outcome, reason, leaderId, leaderAddress, nodeId, configuration } = readable(() => WireReply.decode(bytes));
  return {
    outcome: outcomeFromWire(outcome),
    reason,
    ...(leaderId === 0 ? {} : { leaderId }),
    leaderAddress,
    nodeId,
    ...(configuration === undefined ? {} : { configuration: readable(() => fromConfigurationRecord(configuration)) }),
  };
}

const OUTCOME_TO_WIRE: Record<ChangeMembersReply["outcome"], WireOutcome> = {
  done: WireOutcome.OUTCOME_DONE,
  notLeader: WireOutcome.OUTCOME_NOT_LEADER,
  refused: WireOutcome.OUTCOME_REFUSED,
  unknown: WireOutcome.OUTCOME_UNKNOWN,
};

/** What only a newer version can say is not known here. */
function outcomeFromWire(outcome: WireOutcome): ChangeMembersReply["outcome"] {
  if (outcome === WireOutcome.OUTCOME_DONE) return "done";
  if (outcome === WireOutcome.OUTCOME_NOT_LEADER) return "notLeader";
  return outcome === WireOutcome.OUTCOME_REFUSED ? "refused" : "unknown";
}

export function encodeDescription({ configuration, ...description }: Description): Buffer {
  const record = configuration === undefined ? undefined : toConfigurationRecord(configuration);
  return bufferOf(WireDescription.encode({ ...description, configuration: record }).finish());
}

/** @throws MalformedFrame */
export function decodeDescription(bytes: Uint8Array): Description {
  const { configuration, ...description } = readable(() => WireDescription.decode(bytes));
  if (configuration === undefined) return description;
  return { ...description, configuration: readable(() => fromConfigurationRecord(configuration)) };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The generated decoder throws plain errors of several classes; whatever it is, the bytes are at fault. */
function readable<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw new MalformedFrame(`a message cannot be read: ${String(error)}`, { cause: error });
  }
}
