import { invariant } from "../assert.js";
import type { NodeId } from "../raft/types.js";
import { damaged } from "./damage.js";
import type { Disk, DiskOperation } from "./disk.js";
import { StorageFailure } from "./log-store.js";
import { isSealed, seal, unsealedRow, valueIn } from "./sealed-row.js";

/** Whose directory this is; written once, when it is created. */
export interface StoreIdentity {
  readonly kind: "log" | "state";
  readonly nodeId: NodeId;
  /** 32 hexadecimal digits. The state store carries the id of the log store that it belongs to. */
  readonly storeId: string;
}

type ReadableDisk = Pick<Disk, "place" | "get">;

/** Raised when rows change in a way that older code must not read. */
const FORMAT_VERSION = 1;

const IDENTITY_KEY = "!identity";
const IDENTITY_TEXT = /^folio (log|state) format=(\d+) node=(\d+) store=([0-9a-f]{32})$/;

/** Whose disk it must be; storeId undefined: any. */
export type ExpectedIdentity = Omit<StoreIdentity, "storeId"> & { readonly storeId: string | undefined };

export function creationOf(identity: StoreIdentity): DiskOperation {
  invariant(/^[0-9a-f]{32}$/.test(identity.storeId), "a store id is 32 hexadecimal digits");
  const { kind, nodeId, storeId } = identity;
  const text = `folio ${kind} format=${FORMAT_VERSION} node=${nodeId} store=${storeId}`;
  return { type: "put", key: IDENTITY_KEY, value: seal(IDENTITY_KEY, unsealedRow(Buffer.from(text, "latin1"))) };
}

/**
 * The id of the store on the disk; undefined if it has none yet.
 * @throws StorageFailure FOREIGN if another node or another log owns it, DAMAGED if it cannot be
 * told, OPEN_FAILED if a newer version wrote it.
 */
export function readStoreId(disk: ReadableDisk, expected: ExpectedIdentity): string | undefined {
  const row = disk.get(IDENTITY_KEY);
  if (row === undefined) return undefined;
  const match = isSealed(IDENTITY_KEY, row) ? IDENTITY_TEXT.exec(valueIn(row).toString("latin1")) : null;
  const [, kind, format, nodeId, storeId] = match ?? [];
  if (storeId === undefined) throw damaged(disk.place, "The identity record of the store is damaged");
  if (Number(format) > FORMAT_VERSION) {
    throw new StorageFailure(
      "OPEN_FAILED",
      `${disk.place} was written in format ${format} by a newer version; this one reads up to format ${FORMAT_VERSION}.`,
    );
  }
  if (kind !== expected.kind) throw foreign(disk, `holds a ${kind} store where the ${expected.kind} store should be`);
  if (Number(nodeId) !== expected.nodeId)
    throw foreign(disk, `belongs to node ${nodeId}, not to node ${expected.nodeId}`);
  if (expected.storeId !== undefined && storeId !== expected.storeId) {
    const found = `belongs to the log store ${storeId}, not to ${expected.storeId} beside it`;
    throw foreign(disk, `${found}: put that log back, or let the node begin anew (\`folio repair --rejoin\`)`);
  }
  return storeId;
}

/** Which node the disk says it is of; undefined where that cannot be told. */
export function nodeOf(disk: ReadableDisk): NodeId | undefined {
  const row = disk.get(IDENTITY_KEY);
  if (row === undefined || !isSealed(IDENTITY_KEY, row)) return undefined;
  const [, , , nodeId] = IDENTITY_TEXT.exec(valueIn(row).toString("latin1")) ?? [];
  return nodeId === undefined ? undefined : Number(nodeId);
}

/** A disk without an identity must be new: only then may it be given one. */
export function refuseUnclaimed(disk: ReadableDisk, isEmpty: boolean): void {
  if (!isEmpty)
    throw damaged(disk.place, "The identity record of the store is missing, though there are other records");
}

function foreign(disk: ReadableDisk, finding: string): StorageFailure {
  return new StorageFailure(
    "FOREIGN",
    `${disk.place} ${finding}. Check NODE_ID and DATA_DIR; a directory is never shared, copied or taken over.`,
  );
}
