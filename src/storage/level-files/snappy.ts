import { ByteReader, Malformed } from "./byte-reader.js";

/** LevelDB writes blocks of some KiB; an index block of a large table is far below this. */
const LENGTH_MAX = 64 * 1024 * 1024;

/**
 * Snappy's raw format, as LevelDB compresses blocks: the length of the text, then literals and
 * copies of what came before (google/snappy, format_description.txt).
 * @throws Malformed
 */
export function snappyUncompressed(bytes: Buffer): Buffer {
  const reader = new ByteReader(bytes);
  const length = reader.varint();
  if (length > LENGTH_MAX) throw new Malformed(`holds a block of ${length} bytes, which was never written`);
  const text = Buffer.allocUnsafe(length);
  let at = 0;
  while (!reader.isAtEnd) {
    const tag = reader.bytes(1).readUInt8(0);
    if ((tag & 3) === 0) {
      const literal = reader.bytes(literalLength(tag, reader));
      if (at + literal.length > length) throw overlong();
      at += literal.copy(text, at);
    } else {
      at = copied(text, at, copyOf(tag, reader));
    }
  }
  if (at !== length) throw new Malformed("holds a compressed block that ends early");
  return text;
}

function literalLength(tag: number, reader: ByteReader): number {
  const length = tag >> 2;
  if (length < 60) return length + 1;
  const width = length - 59;
  return reader.bytes(width).readUIntLE(0, width) + 1;
}

interface Copy {
  /** How far back. */
  readonly offset: number;
  readonly length: number;
}

function copyOf(tag: number, reader: ByteReader): Copy {
  switch (tag & 3) {
    case 1:
      return { length: ((tag >> 2) & 7) + 4, offset: ((tag >> 5) << 8) | reader.bytes(1).readUInt8(0) };
    case 2:
      return { length: (tag >> 2) + 1, offset: reader.bytes(2).readUInt16LE(0) };
    default:
      return { length: (tag >> 2) + 1, offset: reader.bytes(4).readUInt32LE(0) };
  }
}

/** Byte by byte: a copy may overlap with what it writes, and repeats it then. */
function copied(text: Buffer, start: number, { offset, length }: Copy): number {
  if (offset === 0 || offset > start) throw new Malformed("holds a compressed block that copies from before its start");
  const end = start + length;
  if (end > text.length) throw overlong();
  for (let at = start; at < end; at++) text[at] = text[at - offset] ?? 0;
  return end;
}

function overlong(): Malformed {
  return new Malformed("holds a compressed block that is longer than it says");
}
