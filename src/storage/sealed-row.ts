import { crc32 } from "node:zlib";

/** CRC-32 of key and value, behind the value: LevelDB verifies no checksum when it reads. */
const SEAL_BYTES = 4;

/** A copy of the value with room for its seal; the caller keeps what it passed. */
export function unsealedRow(value: Uint8Array): Buffer {
  const row = Buffer.allocUnsafe(value.length + SEAL_BYTES);
  row.set(value);
  return row;
}

/** The value in a row, sealed or not. */
export function valueIn(row: Buffer): Buffer {
  return row.subarray(0, row.length - SEAL_BYTES);
}

/** Writes the seal into the row's last bytes. The key is part of it: a row found under another key is damaged. */
export function seal(key: string, row: Buffer): Buffer {
  row.writeUInt32LE(checksum(key, row), row.length - SEAL_BYTES);
  return row;
}

export function isSealed(key: string, row: Buffer): boolean {
  return row.length >= SEAL_BYTES && row.readUInt32LE(row.length - SEAL_BYTES) === checksum(key, row);
}

function checksum(key: string, row: Buffer): number {
  return crc32(valueIn(row), crc32(key));
}
