import { Configuration as WireConfiguration, Member_Kind as WireKind } from "../generated/folio/log/v1/log.js";
import type { Configuration, Member } from "../raft/types.js";
import { MalformedFrame } from "./wire.js";

export function configurationToWire(configuration: Configuration): WireConfiguration {
  return {
    clusterId: configuration.clusterId,
    members: configuration.members.map(({ id, kind, storeId, address }) => ({
      nodeId: id,
      kind: kind === "voter" ? WireKind.KIND_VOTER : WireKind.KIND_LEARNER,
      storeId,
      address,
    })),
  };
}

/** @throws MalformedFrame on a kind of member that this version does not know: it could not count votes */
export function configurationFromWire(wire: WireConfiguration): Configuration {
  return {
    clusterId: wire.clusterId,
    members: wire.members.map(({ nodeId, kind, storeId, address }) => ({
      id: nodeId,
      kind: memberKind(kind),
      storeId,
      address,
    })),
  };
}

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  return WireConfiguration.encode(configurationToWire(configuration)).finish();
}

export function decodeConfiguration(bytes: Uint8Array): Configuration {
  return configurationFromWire(WireConfiguration.decode(bytes));
}

function memberKind(kind: WireKind): Member["kind"] {
  if (kind === WireKind.KIND_VOTER) return "voter";
  if (kind === WireKind.KIND_LEARNER) return "learner";
  throw new MalformedFrame(`a member is of kind ${kind}, which this version does not know`);
}
