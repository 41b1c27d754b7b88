import { ByteReader, Malformed } from "./byte-reader.js";
import { maskedCrc } from "./masked-crc.js";
import { snappyUncompressed } from "./snappy.js";

/**
 * A table of LevelDB's (leveldb/doc/table_format.md): data blocks, filter blocks, the metaindex
 * that names those, the index that names the data blocks, a footer that names metaindex and index.
 * Each block is followed by its kind of compression and a masked CRC-32C, which LevelDB as bound by
 * classic-level never looks at.
 */
const FOOTER_BYTES = 48;
const MAGIC_AT = 40;
const MAGIC = Buffer.from("57fb808b247547db", "hex");
const TRAILER_BYTES = 5;
const COMPRESSION = { none: 0, snappy: 1 } as const;
/** So much is checked between two pauses. */
const SLICE_BYTES = 512 * 1024;

interface BlockPlace {
  readonly offset: number;
  readonly size: number;
}

/**
 * Checks every byte of a table; yields now and then, so that a caller can do other things.
 * @throws Malformed
 */
export function* checkTable(table: Buffer): Generator<void> {
  if (table.length < FOOTER_BYTES) throw new Malformed("is cut short: it has no footer");
  const { metaindex, index } = footerOf(table.subarray(table.length - FOOTER_BYTES));
  const dataBlocks = placesIn(blockAt(table, index));
  const filterBlocks = placesIn(blockAt(table, metaindex));
  assertSeamless([...dataBlocks, ...filterBlocks, metaindex, index], table.length - FOOTER_BYTES);
  let unpaused = 0;
  for (const place of [...dataBlocks, ...filterBlocks]) {
    checkSum(table, place);
    unpaused += place.size;
    if (unpaused < SLICE_BYTES) continue;
    unpaused = 0;
    yield;
  }
}

function footerOf(footer: Buffer): { readonly metaindex: BlockPlace; readonly index: BlockPlace } {
  if (!footer.subarray(MAGIC_AT).equals(MAGIC)) throw new Malformed("does not end as a table does");
  const reader = new ByteReader(footer.subarray(0, MAGIC_AT));
  const metaindex = placeOf(reader);
  const index = placeOf(reader);
  const padding = footer.subarray(reader.at, MAGIC_AT);
  if (padding.some((byte) => byte !== 0)) throw new Malformed("has a damaged footer");
  return { metaindex, index };
}

function placeOf(reader: ByteReader): BlockPlace {
  return { offset: reader.varint(), size: reader.varint() };
}

/** The content of a block that verifies. */
function blockAt(table: Buffer, place: BlockPlace): Buffer {
  checkSum(table, place);
  const end = place.offset + place.size;
  const content = table.subarray(place.offset, end);
  return table.readUInt8(end) === COMPRESSION.snappy ? snappyUncompressed(content) : content;
}

function checkSum(table: Buffer, { offset, size }: BlockPlace): void {
  const end = offset + size;
  if (end + TRAILER_BYTES > table.length - FOOTER_BYTES) {
    throw new Malformed(`names a block at ${offset} that lies beyond its end`);
  }
  if (maskedCrc(table, offset, end + 1) !== table.readUInt32LE(end + 1)) {
    throw new Malformed(`has a block at ${offset} that fails its checksum`);
  }
  const compression = table.readUInt8(end);
  if (compression !== COMPRESSION.none && compression !== COMPRESSION.snappy) {
    throw new Malformed(`has a block at ${offset} of an unknown compression`);
  }
}

/** The values of an index block: where other blocks are. Keys share their beginnings, and are of no interest here. */
function placesIn(block: Buffer): BlockPlace[] {
  if (block.length < 4) throw new Malformed("has an index that is cut short");
  const restartBytes = (block.readUInt32LE(block.length - 4) + 1) * 4;
  if (restartBytes > block.length) throw new Malformed("has an index that is cut short");
  const reader = new ByteReader(block.subarray(0, block.length - restartBytes));
  const places: BlockPlace[] = [];
  while (!reader.isAtEnd) {
    reader.varint();
    const keyBytes = reader.varint();
    const valueBytes = reader.varint();
    reader.bytes(keyBytes);
    places.push(placeOf(new ByteReader(reader.bytes(valueBytes))));
  }
  return places;
}

/** No byte outside of a block: nothing is left that no checksum covers. */
function assertSeamless(places: readonly BlockPlace[], end: number): void {
  let next = 0;
  for (const { offset, size } of [...places].sort((a, b) => a.offset - b.offset)) {
    if (offset !== next) throw new Malformed(`has no block at ${next}, or two`);
    next = offset + size + TRAILER_BYTES;
  }
  if (next !== end) throw new Malformed(`has no block at ${next}`);
}
