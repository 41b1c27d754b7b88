import {
  Member_Kind,
  Configuration as WireConfiguration,
  type Member as WireMember,
} from "../generated/folio/log/v1/log.js";
import type { Configuration, Member } from "../raft/types.js";

/** A configuration as folio.log.v1.Configuration. */
export function encodeConfiguration({ clusterId, members }: Configuration): Uint8Array {
  return WireConfiguration.encode({ clusterId, members: members.map(toWire) }).finish();
}

/** @throws Error if the bytes are no such message or name a kind of member that this version does not know. */
export function decodeConfiguration(bytes: Uint8Array): Configuration {
  const { clusterId, members } = WireConfiguration.decode(bytes);
  return { clusterId, members: members.map(fromWire) };
}

function toWire({ id, kind, storeId, address }: Member): WireMember {
  return { nodeId: id, kind: kind === "voter" ? Member_Kind.KIND_VOTER : Member_Kind.KIND_LEARNER, storeId, address };
}

function fromWire({ nodeId, kind, storeId, address }: WireMember): Member {
  switch (kind) {
    case Member_Kind.KIND_VOTER:
      return { id: nodeId, kind: "voter", storeId, address };
    case Member_Kind.KIND_LEARNER:
      return { id: nodeId, kind: "learner", storeId, address };
    default:
      throw new Error(`member ${nodeId} is of an unknown kind (${kind})`);
  }
}
