import * as wire from "../../generated/sequentialid/sequential_id.js";
import { decodeRequest, type Malformed } from "./malformed.js";

const rpcs = wire.SequentialIDServiceService;

interface Codec<Message> {
  decode(input: Parameters<typeof wire.GetNextRequest.decode>[0]): Message;
}

/** The generated definition of an RPC, but for requests that do not decode: those reach the handler as Malformed. */
function guarded<Definition extends object, Request>(definition: Definition, codec: Codec<Request>) {
  return {
    ...definition,
    requestDeserialize: (bytes: Buffer): Request | Malformed => decodeRequest(codec, bytes),
  };
}

/** service sequentialid.SequentialIDService. */
export const sequentialIdDefinition = {
  getNext: guarded(rpcs.getNext, wire.GetNextRequest),
  getNextBatch: guarded(rpcs.getNextBatch, wire.GetNextBatchRequest),
  resetCounter: guarded(rpcs.resetCounter, wire.ResetCounterRequest),
  getStatus: guarded(rpcs.getStatus, wire.GetStatusRequest),
  health: guarded(rpcs.health, wire.HealthRequest),
  healthCheck: guarded(rpcs.healthCheck, wire.HealthRequest),
  getConfig: guarded(rpcs.getConfig, wire.GetConfigRequest),
  updateConfig: guarded(rpcs.updateConfig, wire.UpdateConfigRequest),
} as const;
