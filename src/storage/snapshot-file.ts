import { SnapshotDamaged } from "./snapshot-damaged.js";
import { SnapshotDecoder, type SnapshotPart } from "./snapshot-stream.js";

/**
 * A snapshot as a file: a line that says what it is, then every chunk with its length (4 bytes,
 * big-endian) before it. Nothing may follow the chunk that ends the snapshot.
 */
const FORMAT = 1;
const TITLE = Buffer.from(`folio snapshot ${FORMAT}\n`);
const ANY_TITLE = /^folio snapshot (\d+)\n/;
const LENGTH_BYTES = 4;

/** A longer chunk was never written: the largest row is one entry's journal block. */
const CHUNK_BYTES_MAX = 64 * 1024 * 1024;

/** The bytes of a file, piece by piece, from the chunks of a snapshot. */
export async function* snapshotFile(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield TITLE;
  for await (const chunk of chunks) {
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32BE(chunk.length);
    yield length;
    yield chunk;
  }
}

/**
 * What is in a file, part by part: the header, rows, the end. Whatever was used of it before it
 * throws must be thrown away.
 * @param bytes the file in pieces of any size, as a stream hands them out.
 * @throws SnapshotDamaged, and what the stream throws
 */
export async function* readSnapshotFile(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<SnapshotPart> {
  const decoder = new SnapshotDecoder();
  const pieces = new Pieces(bytes);
  try {
    checkTitle(await pieces.take(TITLE.length));
    for (let chunk = await nextChunk(pieces); chunk !== undefined; chunk = await nextChunk(pieces)) {
      const part = decoder.take(chunk);
      if (part.kind === "end") await requireNothingMore(pieces);
      yield part;
    }
    decoder.finish();
  } finally {
    await pieces.close();
  }
}

/** What follows would be read as a chunk's length, and called damaged: what is there is sound, and there is too much. */
async function requireNothingMore(pieces: Pieces): Promise<void> {
  const more = await pieces.take(TITLE.length);
  if (more.length === 0) return;
  const what = ANY_TITLE.test(more.toString("latin1")) ? "another one" : "something that does not belong to it";
  throw new SnapshotDamaged(`The file holds a whole snapshot and ${what} behind it: it must hold one and nothing else`);
}

async function nextChunk(pieces: Pieces): Promise<Uint8Array | undefined> {
  const length = await pieces.take(LENGTH_BYTES);
  if (length.length === 0) return undefined;
  if (length.length < LENGTH_BYTES) throw new SnapshotDamaged("The file is cut off between two chunks");
  const size = length.readUInt32BE();
  if (size > CHUNK_BYTES_MAX) {
    throw new SnapshotDamaged(`A chunk of ${size} bytes was never written: its length is damaged`);
  }
  const chunk = await pieces.take(size);
  if (chunk.length < size) throw new SnapshotDamaged("The file is cut off in the middle of a chunk");
  return chunk;
}

function checkTitle(title: Buffer): void {
  if (title.equals(TITLE)) return;
  const format = ANY_TITLE.exec(title.toString("latin1"))?.[1];
  if (format === undefined) throw new SnapshotDamaged("The file is no snapshot of Folio, or its first line is damaged");
  throw new SnapshotDamaged(
    `The file is of format ${format}, and this version of Folio reads format ${FORMAT}: use the version that wrote it`,
  );
}

/** Bytes in the amounts that are asked for, from pieces as they come. */
class Pieces {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Lets the stream go, read to its end or not. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** Fewer than asked for only where the file ends. */
  async take(count: number): Promise<Buffer> {
    while (this.#heldBytes < count) {
      const next = await this.#source.next();
      if (next.done === true) break;
      this.#held.push(next.value);
      this.#heldBytes += next.value.length;
    }
    const all = this.#held.length === 1 ? this.#held[0] : Buffer.concat(this.#held);
    const bytes = Buffer.from(all?.buffer ?? new ArrayBuffer(0), all?.byteOffset ?? 0, all?.length ?? 0);
    const taken = bytes.subarray(0, count);
    const rest = bytes.subarray(count);
    this.#held = rest.length > 0 ? [rest] : [];
    this.#heldBytes = rest.length;
    return taken;
  }
}
