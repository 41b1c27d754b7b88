import { Member_Kind, type Configuration as StoredConfiguration } from "../generated/folio/log/v1/log.js";
import type { Configuration } from "../raft/types.js";

export function toStoredConfiguration(configuration: Configuration): StoredConfiguration {
  return {
    clusterId: configuration.clusterId,
    members: configuration.members.map(({ id, kind, storeId, address }) => ({
      nodeId: id,
      kind: kind === "voter" ? Member_Kind.KIND_VOTER : Member_Kind.KIND_LEARNER,
      storeId,
      address,
    })),
  };
}

export function fromStoredConfiguration(stored: StoredConfiguration): Configuration {
  return {
    clusterId: stored.clusterId,
    members: stored.members.map(({ nodeId, kind, storeId, address }) => ({
      id: nodeId,
      kind: kind === Member_Kind.KIND_VOTER ? "voter" : "learner",
      storeId,
      address,
    })),
  };
}
