import { maskedCrc } from "../../src/storage/level-files/masked-crc.js";

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;

/** LevelDB's log format, as its writer (leveldb/db/log_writer.cc) makes it. */
export function recordLog(records: readonly Uint8Array[]): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  const push = (piece: Buffer) => {
    pieces.push(piece);
    at += piece.length;
  };
  for (const record of records) {
    let rest = record;
    let isFirst = true;
    do {
      const left = BLOCK_BYTES - (at % BLOCK_BYTES);
      if (left < HEADER_BYTES) push(Buffer.alloc(left));
      const room = BLOCK_BYTES - (at % BLOCK_BYTES) - HEADER_BYTES;
      const body = rest.subarray(0, room);
      rest = rest.subarray(room);
      push(fragment(kindOf(isFirst, rest.length === 0), body));
      isFirst = false;
    } while (rest.length > 0);
  }
  return Buffer.concat(pieces);
}

function kindOf(isFirst: boolean, isLast: boolean): number {
  if (isFirst) return isLast ? 1 : 2;
  return isLast ? 4 : 3;
}

function fragment(kind: number, body: Uint8Array): Buffer {
  const piece = Buffer.concat([Buffer.alloc(HEADER_BYTES), body]);
  piece.writeUInt16LE(body.length, 4);
  piece.writeUInt8(kind, 6);
  piece.writeUInt32LE(maskedCrc(piece, 6, piece.length), 0);
  return piece;
}
