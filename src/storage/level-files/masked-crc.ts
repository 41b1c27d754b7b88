import { crc32c } from "./crc32c.js";

const MASK_DELTA = 0xa282ead8;

/** As LevelDB stores checksums: rotated and shifted, because what is sealed may hold checksums itself. */
export function maskedCrc(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
