import {
  Configuration as ConfigurationRecord,
  Member_Kind,
  type Member as MemberRecord,
} from "./generated/folio/log/v1/log.js";
import type { Configuration, Member } from "./raft/types.js";

/** A configuration as folio.log.v1.Configuration: the same in the log, in the state and between peers. */
export function toConfigurationRecord({ clusterId, members }: Configuration): ConfigurationRecord {
  return { clusterId, members: members.map(toMemberRecord) };
}

/** @throws Error if it names a kind of member that this version does not know: it could not count votes */
export function fromConfigurationRecord({ clusterId, members }: ConfigurationRecord): Configuration {
  return { clusterId, members: members.map(fromMemberRecord) };
}

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  return ConfigurationRecord.encode(toConfigurationRecord(configuration)).finish();
}

/** @throws Error if the bytes are no such message, or name an unknown kind of member */
export function decodeConfiguration(bytes: Uint8Array): Configuration {
  return fromConfigurationRecord(ConfigurationRecord.decode(bytes));
}

function toMemberRecord({ id, kind, storeId, address }: Member): MemberRecord {
  return { nodeId: id, kind: kind === "voter" ? Member_Kind.KIND_VOTER : Member_Kind.KIND_LEARNER, storeId, address };
}

function fromMemberRecord({ nodeId, kind, storeId, address }: MemberRecord): Member {
  switch (kind) {
    case Member_Kind.KIND_VOTER:
      return { id: nodeId, kind: "voter", storeId, address };
    case Member_Kind.KIND_LEARNER:
      return { id: nodeId, kind: "learner", storeId, address };
    default:
      throw new Error(`member ${nodeId} is of a kind (${kind}) that this version does not know`);
  }
}
