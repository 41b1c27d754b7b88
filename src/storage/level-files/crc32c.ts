/**
 * CRC-32C (Castagnoli), which LevelDB seals its blocks and records with; zlib has the other
 * polynomial only. Slicing by eight: a table per byte of the word pair that is taken at once.
 */
const POLYNOMIAL = 0x82f63b78;
const BYTES_AT_ONCE = 8;
const TABLES = sliceTables();
const [T0, T1, T2, T3, T4, T5, T6, T7] = Array.from({ length: BYTES_AT_ONCE }, (_, place) =>
  TABLES.subarray(place * 256, (place + 1) * 256),
) as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

/** Of bytes `start` up to `end`, as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = ~0;
  let at = start;
  for (const last = end - BYTES_AT_ONCE; at <= last; at += BYTES_AT_ONCE) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24));
    crc =
      (T7[low & 0xff] as number) ^
      (T6[(low >>> 8) & 0xff] as number) ^
      (T5[(low >>> 16) & 0xff] as number) ^
      (T4[low >>> 24] as number) ^
      (T3[bytes[at + 4] as number] as number) ^
      (T2[bytes[at + 5] as number] as number) ^
      (T1[bytes[at + 6] as number] as number) ^
      (T0[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) crc = (T0[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function sliceTables(): Int32Array {
  const tables = new Int32Array(BYTES_AT_ONCE * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] as number;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}
