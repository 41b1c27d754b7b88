import { crc32 } from "node:zlib";
import { decodeConfiguration, encodeConfiguration } from "../configuration-record.js";
import type { Configuration, HardState, Position } from "../raft/types.js";
import { damaged } from "./damage.js";
import type { Disk, DiskOperation } from "./disk.js";
import { isSealed, seal, unsealedRow, valueIn } from "./sealed-row.js";

/** A position and the checksum that the record behind it links to. */
export interface LinkedPosition extends Position {
  readonly link: number;
}

/** Where the log begins. */
export interface LogBase extends LinkedPosition {
  readonly configuration: Configuration | undefined;
}

/**
 * Where the log ends, and the hard state. Rewritten with *every* write: whatever batch LevelDB may
 * have lost from the middle of its write-ahead log, the newest head that survived still tells the
 * term, the vote, and what the log must look like.
 */
export interface LogHead {
  readonly hardState: HardState;
  readonly tail: LinkedPosition;
}

/** Before founding. */
export const NO_BASE: LogBase = { index: 0, term: 0, link: 0, configuration: undefined };

const BASE_KEY = "base";
const HEAD_KEY = "head";
const VERSION = 1;
const WORD_BYTES = 6;
const POSITION_BYTES = 1 + 2 * WORD_BYTES + 4;
const HEAD_BYTES = POSITION_BYTES + 2 * WORD_BYTES;

/** The founding configuration as the base of an empty log. */
export function foundingBase(configuration: Configuration): LogBase {
  return { index: 0, term: 0, link: crc32(encodeConfiguration(configuration)), configuration };
}

export function putBase(base: LogBase & { readonly configuration: Configuration }): DiskOperation {
  const configuration = encodeConfiguration(base.configuration);
  const body = Buffer.allocUnsafe(POSITION_BYTES + configuration.length);
  writePosition(body, base);
  body.set(configuration, POSITION_BYTES);
  return { type: "put", key: BASE_KEY, value: seal(BASE_KEY, unsealedRow(body)) };
}

/** @throws StorageFailure DAMAGED */
export function readBase(disk: Disk): LogBase {
  const body = readSealed(disk, BASE_KEY, "The base of the log");
  if (body === undefined) return NO_BASE;
  try {
    return { ...readPosition(body), configuration: decodeConfiguration(body.subarray(POSITION_BYTES)) };
  } catch (error) {
    throw damaged(disk.place, "The base of the log holds no configuration that can be read", error);
  }
}

export function putHead({ hardState, tail }: LogHead): DiskOperation {
  const body = Buffer.allocUnsafe(HEAD_BYTES);
  writePosition(body, tail);
  body.writeUIntBE(hardState.term, POSITION_BYTES, WORD_BYTES);
  body.writeUIntBE(hardState.votedFor ?? 0, POSITION_BYTES + WORD_BYTES, WORD_BYTES);
  return { type: "put", key: HEAD_KEY, value: seal(HEAD_KEY, unsealedRow(body)) };
}

/** @throws StorageFailure DAMAGED */
export function readHead(disk: Disk): LogHead | undefined {
  const what = "The hard state (term and vote)";
  const body = readSealed(disk, HEAD_KEY, what);
  if (body === undefined) return undefined;
  if (body.length !== HEAD_BYTES) throw damaged(disk.place, `${what} has an unknown form`);
  const term = body.readUIntBE(POSITION_BYTES, WORD_BYTES);
  const vote = body.readUIntBE(POSITION_BYTES + WORD_BYTES, WORD_BYTES);
  return { tail: readPosition(body), hardState: { term, votedFor: vote === 0 ? undefined : vote } };
}

function readSealed(disk: Disk, key: string, what: string): Buffer | undefined {
  const row = disk.get(key);
  if (row === undefined) return undefined;
  if (!isSealed(key, row)) throw damaged(disk.place, `${what} fails its checksum`);
  const body = valueIn(row);
  if (body.length < POSITION_BYTES || body.readUInt8(0) !== VERSION) {
    throw damaged(disk.place, `${what} has an unknown form`);
  }
  return body;
}

function writePosition(body: Buffer, { index, term, link }: LinkedPosition): void {
  body.writeUInt8(VERSION, 0);
  body.writeUIntBE(index, 1, WORD_BYTES);
  body.writeUIntBE(term, 1 + WORD_BYTES, WORD_BYTES);
  body.writeUInt32BE(link, 1 + 2 * WORD_BYTES);
}

function readPosition(body: Buffer): LinkedPosition {
  return {
    index: body.readUIntBE(1, WORD_BYTES),
    term: body.readUIntBE(1 + WORD_BYTES, WORD_BYTES),
    link: body.readUInt32BE(1 + 2 * WORD_BYTES),
  };
}
