import { crc32 } from "node:zlib";
import { decodeConfiguration, encodeConfiguration } from "../configuration-record.js";
import type { Configuration, HardState, Position } from "../raft/types.js";
import { damaged, writtenByNewerVersion } from "./damage.js";
import type { Disk, DiskOperation } from "./disk.js";
import { isSealed, seal, unsealedRow, valueIn } from "./sealed-row.js";

/** A position and the checksum that the record behind it links to. */
export interface LinkedPosition extends Position {
  readonly link: number;
}

/** Where the log begins, and which state it goes on from. */
export interface LogBase extends LinkedPosition {
  /** In force at the position; undefined before founding. */
  readonly configuration: Configuration | undefined;
  /** Which of the state's generations is in force: this record is what switches from one to the next. */
  readonly stateGeneration: number;
  /** Of the record as it is stored; 0 before founding. Every head repeats it. */
  readonly checksum: number;
}

/**
 * Where the log ends, and the hard state. Rewritten with *every* write: whatever batch LevelDB may
 * have lost from the middle of its write-ahead log, the newest head that survived still tells the
 * term, the vote, and what the log must look like.
 */
export interface LogHead {
  readonly hardState: HardState;
  readonly tail: LinkedPosition;
  /** Of the base that the log has since this write; undefined in a head of version 1. */
  readonly baseChecksum: number | undefined;
}

/** Before founding. */
export const NO_BASE: LogBase = {
  index: 0,
  term: 0,
  link: 0,
  configuration: undefined,
  stateGeneration: 0,
  checksum: 0,
};

const BASE_KEY = "base";
const HEAD_KEY = "head";
const WORD_BYTES = 6;
const POSITION_BYTES = 1 + 2 * WORD_BYTES + 4;
/** Version 1 of the base ends its fixed part here and has no generation. */
const BASE_BYTES = POSITION_BYTES + WORD_BYTES;
/** Version 1 of the head ends here. */
const HEAD_BYTES = POSITION_BYTES + 2 * WORD_BYTES;
/** What is written; version 1 is still read. */
const VERSION = 2;

/** The founding configuration as the base of an empty log. */
export function foundingBase(configuration: Configuration): LogBase {
  return sealedBase({ index: 0, term: 0, link: crc32(encodeConfiguration(configuration)) }, configuration, 0);
}

/** A base whose position is a record that stays linked to what follows it. */
export function sealedBase(at: LinkedPosition, configuration: Configuration, stateGeneration: number): LogBase {
  const { index, term, link } = at;
  const checksum = crc32(baseBytes(at, configuration, stateGeneration));
  return { index, term, link, configuration, stateGeneration, checksum };
}

/** A base that no record stands at: its link is derived from all that it says. */
export function unlinkedBase(at: Position, configuration: Configuration, stateGeneration: number): LogBase {
  const link = crc32(baseBytes({ ...at, link: 0 }, configuration, stateGeneration));
  return sealedBase({ index: at.index, term: at.term, link }, configuration, stateGeneration);
}

export function putBase(base: LogBase & { readonly configuration: Configuration }): DiskOperation {
  const body = baseBytes(base, base.configuration, base.stateGeneration);
  return { type: "put", key: BASE_KEY, value: seal(BASE_KEY, unsealedRow(body)) };
}

function baseBytes(at: LinkedPosition, configuration: Configuration, stateGeneration: number): Buffer {
  const members = encodeConfiguration(configuration);
  const body = Buffer.allocUnsafe(BASE_BYTES + members.length);
  writePosition(body, at);
  body.writeUIntBE(stateGeneration, POSITION_BYTES, WORD_BYTES);
  body.set(members, BASE_BYTES);
  return body;
}

/** @throws StorageFailure DAMAGED, or OPEN_FAILED if a newer version wrote it */
export function readBase(disk: Disk): LogBase {
  const body = readSealed(disk, BASE_KEY, "The base of the log");
  if (body === undefined) return NO_BASE;
  const fixedBytes = body.readUInt8(0) === 1 ? POSITION_BYTES : BASE_BYTES;
  if (body.length < fixedBytes) throw damaged(disk.place, "The base of the log has an unknown form");
  const stateGeneration = fixedBytes === BASE_BYTES ? body.readUIntBE(POSITION_BYTES, WORD_BYTES) : 0;
  try {
    const configuration = decodeConfiguration(body.subarray(fixedBytes));
    return { ...readPosition(body), configuration, stateGeneration, checksum: crc32(body) };
  } catch (error) {
    throw damaged(disk.place, "The base of the log holds no configuration that can be read", error);
  }
}

export function putHead({ hardState, tail, baseChecksum }: LogHead & { readonly baseChecksum: number }): DiskOperation {
  const body = Buffer.allocUnsafe(HEAD_BYTES + 4);
  writePosition(body, tail);
  body.writeUIntBE(hardState.term, POSITION_BYTES, WORD_BYTES);
  body.writeUIntBE(hardState.votedFor ?? 0, POSITION_BYTES + WORD_BYTES, WORD_BYTES);
  body.writeUInt32BE(baseChecksum, HEAD_BYTES);
  return { type: "put", key: HEAD_KEY, value: seal(HEAD_KEY, unsealedRow(body)) };
}

/** @throws StorageFailure DAMAGED, or OPEN_FAILED if a newer version wrote it */
export function readHead(disk: Disk): LogHead | undefined {
  const what = "The hard state (term and vote)";
  const body = readSealed(disk, HEAD_KEY, what);
  if (body === undefined) return undefined;
  const isFirstVersion = body.readUInt8(0) === 1;
  if (body.length !== HEAD_BYTES + (isFirstVersion ? 0 : 4)) throw damaged(disk.place, `${what} has an unknown form`);
  const term = body.readUIntBE(POSITION_BYTES, WORD_BYTES);
  const vote = body.readUIntBE(POSITION_BYTES + WORD_BYTES, WORD_BYTES);
  return {
    tail: readPosition(body),
    hardState: { term, votedFor: vote === 0 ? undefined : vote },
    baseChecksum: isFirstVersion ? undefined : body.readUInt32BE(HEAD_BYTES),
  };
}

function readSealed(disk: Disk, key: string, what: string): Buffer | undefined {
  const row = disk.get(key);
  if (row === undefined) return undefined;
  if (!isSealed(key, row)) throw damaged(disk.place, `${what} fails its checksum`);
  const body = valueIn(row);
  if (body.length < POSITION_BYTES) throw damaged(disk.place, `${what} has an unknown form`);
  const version = body.readUInt8(0);
  if (version > VERSION) throw writtenByNewerVersion(disk.place, `${what} is of version ${version}`, VERSION);
  if (version === 0) throw damaged(disk.place, `${what} has an unknown form`);
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
