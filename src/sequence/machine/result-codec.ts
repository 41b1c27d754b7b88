import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import { invariant, unreachable } from "../../assert.js";
import { Result } from "../../generated/folio/sequence/v1/sequence.js";
import type { CommandResult, Drawn } from "../result.js";
import { scopeKeyOf } from "../series-identity.js";

/** What the journal keeps of an outcome: enough, with the command beside it, to tell it again. */
export type ResultRecord = NonNullable<Result["body"]>;

/** Never empty. @param writer is left empty, to be used again: a new one costs more than the record. */
export function encodeResult(result: CommandResult, writer?: BinaryWriter): Uint8Array {
  return Result.encode({ body: recordOf(result) }, writer).finish();
}

export function decodeResult(bytes: Uint8Array): ResultRecord {
  const { body } = Result.decode(bytes);
  invariant(body !== undefined, "a record tells an outcome of a kind that this node knows");
  return body;
}

function recordOf(result: CommandResult): ResultRecord {
  switch (result.kind) {
    case "drawn":
      return { $case: "drawn", value: drawnRecord(result) };
    case "refused":
      return { $case: "refused", value: result };
    case "reset": {
      const { oldValue, newValue, epoch, period, skipped, scopeKey = "", version = 0 } = result;
      return { $case: "reset", value: { oldValue, newValue, epoch, period, skipped, scopeKey, version } };
    }
    case "configured": {
      const { definition, created, changed = true } = result;
      return { $case: "configured", value: { version: definition.version, created, unchanged: !changed } };
    }
    case "seeded":
      return { $case: "seeded", value: {} };
    default:
      return unreachable(result);
  }
}

function drawnRecord(result: Drawn): Extract<ResultRecord, { $case: "drawn" }>["value"] {
  const { period, epoch, ranges, definition, replayed, created } = result;
  return {
    period,
    epoch,
    // Encoding only reads.
    ranges: ranges as { first: number; last: number }[],
    definitionVersion: definition.version,
    replayOf: replayed ? result.messageId : "",
    replayTime: replayed ? result.time : 0,
    created,
    scopeKey: definition.scope === "global" ? "" : scopeKeyOf(definition.scope, result.scope),
  };
}
