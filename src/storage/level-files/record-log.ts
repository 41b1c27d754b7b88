import { Malformed } from "./byte-reader.js";
import { maskedCrc } from "./masked-crc.js";

/**
 * LevelDB's log format (leveldb/doc/log_format.md), of write-ahead logs and of the MANIFEST: blocks
 * of 32 KiB, in them fragments with a masked CRC-32C, a length and a kind; records that do not fit
 * are a first, middle and last fragment.
 */
const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const KIND = { full: 1, first: 2, middle: 3, last: 4 } as const;

interface Fragment {
  readonly kind: number;
  readonly body: Buffer;
  readonly end: number;
}

export interface RecordLog {
  readonly records: readonly Buffer[];
  /** Where the records end and something else begins; undefined: they fill the file. */
  readonly tornAt: number | undefined;
}

/**
 * All records up to the first place where none can be read. That is a torn tail, as a crash within
 * the last write leaves it, only if no later record begins behind that place: writes are synced one
 * by one, so that what stands behind another record proves that it was whole once.
 * @throws Malformed
 */
export function readRecords(file: Buffer): RecordLog {
  const records: Buffer[] = [];
  let begun: Buffer[] = [];
  let at = 0;
  let recordAt = 0;
  for (;;) {
    at = pastTrailer(at);
    if (at >= file.length) break;
    const fragment = fragmentAt(file, at);
    const fits = fragment !== undefined && isStart(fragment) === (begun.length === 0);
    if (!fits) {
      assertTornTail(file, at);
      return { records, tornAt: recordAt };
    }
    begun.push(fragment.body);
    if (fragment.kind === KIND.full || fragment.kind === KIND.last) {
      records.push(Buffer.concat(begun));
      begun = [];
      recordAt = fragment.end;
    }
    at = fragment.end;
  }
  return { records, tornAt: begun.length > 0 ? recordAt : undefined };
}

/** Where the next fragment begins: the last bytes of a block are too few for one. */
function pastTrailer(at: number): number {
  const left = BLOCK_BYTES - (at % BLOCK_BYTES);
  return left < HEADER_BYTES ? at + left : at;
}

function isStart({ kind }: Fragment): boolean {
  return kind === KIND.full || kind === KIND.first;
}

/** The fragment at a place, if there is one and it verifies. */
function fragmentAt(file: Buffer, at: number): Fragment | undefined {
  const blockEnd = Math.min(file.length, at - (at % BLOCK_BYTES) + BLOCK_BYTES);
  const bodyAt = at + HEADER_BYTES;
  if (bodyAt > blockEnd) return undefined;
  const end = bodyAt + file.readUInt16LE(at + 4);
  const kind = file.readUInt8(at + 6);
  if (end > blockEnd || kind < KIND.full || kind > KIND.last) return undefined;
  if (maskedCrc(file, at + 6, end) !== file.readUInt32LE(at)) return undefined;
  return { kind, body: file.subarray(bodyAt, end), end };
}

/** The rest of the last record may be there in part: middles and an end, never another beginning. */
function assertTornTail(file: Buffer, from: number): void {
  let at = from;
  while (at < file.length) {
    const fragment = fragmentAt(file, at);
    if (fragment !== undefined && isStart(fragment)) {
      throw new Malformed(`is damaged at byte ${from}, though a later record at ${at} is whole`);
    }
    at = fragment?.end ?? at + 1;
  }
}
