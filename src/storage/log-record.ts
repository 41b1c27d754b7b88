import { crc32 } from "node:zlib";
import { invariant } from "../assert.js";
import { decodeConfiguration, encodeConfiguration } from "../configuration-record.js";
import type { Entry, EntryBody, LogIndex, Position } from "../raft/types.js";
import { damaged } from "./damage.js";

/**
 * One entry as it is stored:
 *
 *   0 checksum  CRC-32 of everything behind it
 *   4 link      checksum of the record before this one; of the first, the base's link
 *   8 version
 *   9 kind
 *  10 term      48 bits, big-endian
 *  16 index     48 bits, big-endian
 *  22 body      a command's payload as it came; a configuration as folio.log.v1.Configuration
 *
 * Because the checksum covers the link, records that verify one by one and link to each other are
 * the log that was written, in its order and without a hole.
 */
const AT = { checksum: 0, link: 4, version: 8, kind: 9, term: 10, index: 16, body: 22 } as const;
const WORD_BYTES = 6;
const VERSION = 1;
const KINDS: readonly EntryBody["kind"][] = ["noop", "command", "configuration"];

/** LevelDB holds whole batches in memory; a batch of commands is far below this. */
export const BODY_BYTES_MAX = 16 * 1024 * 1024;

const INDEX_DIGITS = 16;
const KEY_PREFIX = "entry/";

/** All entry keys, and nothing else. */
export const RECORD_RANGE = { gte: KEY_PREFIX, lt: "entry0" } as const;

/** Fixed width, so that the order of keys is the order of entries. */
export function recordKey(index: LogIndex): string {
  return KEY_PREFIX + String(index).padStart(INDEX_DIGITS, "0");
}

/** Links the record that follows to this one. */
export function checksumOf(record: Buffer): number {
  return record.readUInt32BE(AT.checksum);
}

/** @param link checksum of the record before this one. */
export function encodeRecord(entry: Entry, link: number): Buffer {
  const body = bodyBytes(entry.body);
  invariant(body.length <= BODY_BYTES_MAX, () => `entry ${entry.index} of ${body.length} bytes is within the limit`);
  const record = Buffer.allocUnsafe(AT.body + body.length);
  record.writeUInt32BE(link, AT.link);
  record.writeUInt8(VERSION, AT.version);
  record.writeUInt8(KINDS.indexOf(entry.body.kind), AT.kind);
  record.writeUIntBE(entry.term, AT.term, WORD_BYTES);
  record.writeUIntBE(entry.index, AT.index, WORD_BYTES);
  record.set(body, AT.body);
  record.writeUInt32BE(crc32(record.subarray(AT.link)), AT.checksum);
  return record;
}

/** A record whose checksum held. The body is decoded when asked for. */
export interface CheckedRecord extends Position {
  readonly kind: EntryBody["kind"];
  readonly link: number;
  readonly checksum: number;
  readonly body: Buffer;
}

/**
 * @param index where the record was found.
 * @throws StorageFailure DAMAGED if it is not the record that was written there.
 */
export function checkRecord(record: Buffer, index: LogIndex, place: string): CheckedRecord {
  if (record.length < AT.body) throw damaged(place, `Log entry ${index} is cut short (${record.length} bytes)`);
  const checksum = checksumOf(record);
  if (crc32(record.subarray(AT.link)) !== checksum) throw damaged(place, `Log entry ${index} fails its checksum`);
  const version = record.readUInt8(AT.version);
  const kind = KINDS[record.readUInt8(AT.kind)];
  if (version !== VERSION || kind === undefined) {
    throw damaged(place, `Log entry ${index} is of a version or kind that this version of Folio cannot read`);
  }
  const storedIndex = record.readUIntBE(AT.index, WORD_BYTES);
  if (storedIndex !== index) throw damaged(place, `Log entry ${index} is really entry ${storedIndex}`);
  return {
    index,
    term: record.readUIntBE(AT.term, WORD_BYTES),
    kind,
    link: record.readUInt32BE(AT.link),
    checksum,
    body: record.subarray(AT.body),
  };
}

/** @throws StorageFailure DAMAGED if a configuration cannot be decoded. */
export function entryOf(record: CheckedRecord, place: string): Entry {
  const { index, term } = record;
  switch (record.kind) {
    case "noop":
      return { index, term, body: { kind: "noop" } };
    case "command":
      return { index, term, body: { kind: "command", payload: record.body } };
    case "configuration":
      try {
        return { index, term, body: { kind: "configuration", configuration: decodeConfiguration(record.body) } };
      } catch (error) {
        throw damaged(place, `Log entry ${index} holds no configuration that can be read`, error);
      }
  }
}

function bodyBytes(body: EntryBody): Uint8Array {
  switch (body.kind) {
    case "noop":
      return NOTHING;
    case "command":
      return body.payload;
    case "configuration":
      return encodeConfiguration(body.configuration);
  }
}

const NOTHING = new Uint8Array(0);
