import type { LogIndex } from "../raft/types.js";
import { delimitedSize, tag, varintSize, WireReader, WireType, WireWriter } from "./wire.js";

/** folio.peer.v1.FetchSnapshotRequest and SnapshotChunk: a chunk's bytes are copied once into its message, and not out of it. */

const LEAST_INDEX = tag(1, WireType.varint);
const DATA = tag(1, WireType.lengthDelimited);
const EMPTY = new Uint8Array(0);

export function encodeFetch(least: LogIndex): Buffer {
  const writer = new WireWriter(least === 0 ? 0 : 1 + varintSize(least));
  writer.field(LEAST_INDEX, least);
  return writer.finish();
}

/** @throws MalformedFrame */
export function decodeFetch(bytes: Uint8Array): LogIndex {
  const reader = new WireReader(bytes);
  let least = 0;
  while (reader.more) {
    const field = reader.varint();
    if (field === LEAST_INDEX) least = reader.varint();
    else reader.skip(field);
  }
  return least;
}

export function encodeChunk(data: Uint8Array): Buffer {
  const { byteLength } = data;
  const writer = new WireWriter(1 + delimitedSize(byteLength));
  writer.open(DATA, byteLength);
  writer.raw(data);
  return writer.finish();
}

/** A view of the bytes, which nobody else keeps. @throws MalformedFrame */
export function decodeChunk(bytes: Uint8Array): Uint8Array {
  const reader = new WireReader(bytes);
  let data: Uint8Array = EMPTY;
  while (reader.more) {
    const field = reader.varint();
    if (field === DATA) data = reader.bytes();
    else reader.skip(field);
  }
  return data;
}
