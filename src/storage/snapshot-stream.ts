import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { invariant } from "../assert.js";
import { SnapshotDamaged } from "./snapshot-damaged.js";
import { decodeHeader, encodeHeader, type SnapshotHeader } from "./snapshot-header.js";
import { isStateKey } from "./state-key.js";
import type { StateRow } from "./state-store.js";

/**
 * A snapshot, on its way to another node or in a backup, is a sequence of chunks:
 *
 *   0 checksum  CRC-32 of everything behind it
 *   4 number    of the chunk, counted from 0
 *   8 kind      0 header, 1 rows, 2 end
 *   9 body      header: JSON; rows: key and value with their lengths before them;
 *               end: how many rows and bytes came before, and their SHA-256
 *
 * All numbers are big-endian. Chunks that verify, in their order, from a header to an end whose
 * figures fit, are the snapshot that was taken.
 */
const AT = { checksum: 0, number: 4, kind: 8, body: 9 } as const;
const KIND = { header: 0, rows: 1, end: 2 } as const;
const ROW_FRAME_BYTES = 6;
const END_AT = { rows: 0, bytes: 6, hash: 12, length: 44 } as const;

export type SnapshotPart =
  | { readonly kind: "header"; readonly header: SnapshotHeader }
  /** In the order of their keys over the whole snapshot. Values are views of the chunk. */
  | { readonly kind: "rows"; readonly rows: StateRow[] }
  | { readonly kind: "end"; readonly rows: number; readonly bytes: number };

/** Makes the chunks, in this order: one header, any number of rows, one end. */
export class SnapshotEncoder {
  readonly #hash: Hash = createHash("sha256");
  #number = 0;
  #rows = 0;
  #bytes = 0;
  #isEnded = false;

  header(header: SnapshotHeader): Uint8Array {
    invariant(this.#number === 0, "a snapshot begins with its header");
    return this.#chunk(KIND.header, encodeHeader(header));
  }

  /** @param rows in the order of their keys, as a view hands them out: a page of about 256 KiB, or one larger row. */
  rows(rows: readonly StateRow[]): Uint8Array {
    invariant(this.#number > 0, "a snapshot begins with its header");
    let length = 0;
    for (const { key, value } of rows) length += ROW_FRAME_BYTES + key.length + value.length;
    const body = Buffer.allocUnsafe(length);
    let at = 0;
    for (const { key, value } of rows) {
      at = body.writeUInt16BE(key.length, at);
      at = body.writeUInt32BE(value.length, at);
      at += body.write(key, at, "latin1");
      body.set(value, at);
      at += value.length;
    }
    this.#rows += rows.length;
    return this.#chunk(KIND.rows, body);
  }

  end(): Uint8Array {
    invariant(this.#number > 0, "a snapshot begins with its header");
    const body = Buffer.allocUnsafe(END_AT.length);
    body.writeUIntBE(this.#rows, END_AT.rows, 6);
    body.writeUIntBE(this.#bytes, END_AT.bytes, 6);
    body.set(this.#hash.copy().digest(), END_AT.hash);
    const chunk = this.#chunk(KIND.end, body);
    this.#isEnded = true;
    return chunk;
  }

  #chunk(kind: number, body: Uint8Array): Uint8Array {
    invariant(!this.#isEnded, "nothing follows the end of a snapshot");
    const chunk = Buffer.allocUnsafe(AT.body + body.length);
    chunk.writeUInt32BE(this.#number, AT.number);
    chunk.writeUInt8(kind, AT.kind);
    chunk.set(body, AT.body);
    chunk.writeUInt32BE(crc32(chunk.subarray(AT.number)), AT.checksum);
    this.#number += 1;
    this.#bytes += chunk.length;
    this.#hash.update(chunk);
    return chunk;
  }
}

/** Takes the chunks one by one and lets nothing pass that is not what the encoder made. */
export class SnapshotDecoder {
  readonly #hash: Hash = createHash("sha256");
  #number = 0;
  #rows = 0;
  #bytes = 0;
  #lastKey = "";
  #isComplete = false;

  /** The end was there and fitted: only then may anything of the snapshot be used. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** @throws SnapshotDamaged */
  take(bytes: Uint8Array): SnapshotPart {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (this.#isComplete) throw new SnapshotDamaged("Something follows the end of the snapshot");
    const kind = this.#checkedKind(chunk);
    const body = chunk.subarray(AT.body);
    const part = this.#partOf(kind, body);
    this.#number += 1;
    this.#bytes += chunk.length;
    this.#hash.update(chunk);
    return part;
  }

  /** @throws SnapshotDamaged if the snapshot ended before its end. */
  finish(): void {
    if (this.#isComplete) return;
    throw new SnapshotDamaged(`The snapshot is cut off: it ends after ${this.#number} chunks, ${this.#bytes} bytes`);
  }

  #checkedKind(chunk: Buffer): number {
    if (chunk.length < AT.body) throw new SnapshotDamaged(`Chunk ${this.#number} of the snapshot is cut short`);
    if (crc32(chunk.subarray(AT.number)) !== chunk.readUInt32BE(AT.checksum)) {
      throw new SnapshotDamaged(`Chunk ${this.#number} of the snapshot fails its checksum`);
    }
    const number = chunk.readUInt32BE(AT.number);
    if (number !== this.#number) {
      throw new SnapshotDamaged(`Chunk ${this.#number} of the snapshot is missing: chunk ${number} is in its place`);
    }
    const kind = chunk.readUInt8(AT.kind);
    if ((number === 0) !== (kind === KIND.header)) {
      throw new SnapshotDamaged(`Chunk ${number} of the snapshot is not of the kind that belongs there`);
    }
    return kind;
  }

  #partOf(kind: number, body: Buffer): SnapshotPart {
    switch (kind) {
      case KIND.header:
        return { kind: "header", header: decodeHeader(body) };
      case KIND.rows:
        return { kind: "rows", rows: this.#rowsOf(body) };
      case KIND.end:
        return this.#endOf(body);
      default:
        throw new SnapshotDamaged(`Chunk ${this.#number} of the snapshot is of a kind that this version cannot read`);
    }
  }

  #rowsOf(body: Buffer): StateRow[] {
    const rows: StateRow[] = [];
    let at = 0;
    while (at < body.length) {
      if (at + ROW_FRAME_BYTES > body.length) throw this.#misframed();
      const keyEnd = at + ROW_FRAME_BYTES + body.readUInt16BE(at);
      const valueEnd = keyEnd + body.readUInt32BE(at + 2);
      if (valueEnd > body.length) throw this.#misframed();
      const key = body.toString("latin1", at + ROW_FRAME_BYTES, keyEnd);
      if (!isStateKey(key))
        throw new SnapshotDamaged(`The snapshot has a row under ${JSON.stringify(key)}, which is no key`);
      if (key <= this.#lastKey) {
        throw new SnapshotDamaged(`The rows of the snapshot are out of order: ${key} after ${this.#lastKey}`);
      }
      this.#lastKey = key;
      rows.push({ key, value: body.subarray(keyEnd, valueEnd) });
      at = valueEnd;
    }
    this.#rows += rows.length;
    return rows;
  }

  #endOf(body: Buffer): SnapshotPart {
    if (body.length !== END_AT.length) throw new SnapshotDamaged("The end of the snapshot has an unknown form");
    const rows = body.readUIntBE(END_AT.rows, 6);
    const bytes = body.readUIntBE(END_AT.bytes, 6);
    if (rows !== this.#rows || bytes !== this.#bytes) {
      throw new SnapshotDamaged(
        `The snapshot has ${this.#rows} rows in ${this.#bytes} bytes, though it was taken with ${rows} in ${bytes}`,
      );
    }
    if (!body.subarray(END_AT.hash).equals(this.#hash.copy().digest())) {
      throw new SnapshotDamaged("The snapshot is not the one that was taken: its SHA-256 is another");
    }
    this.#isComplete = true;
    return { kind: "end", rows, bytes };
  }

  #misframed(): SnapshotDamaged {
    return new SnapshotDamaged(`The rows in chunk ${this.#number} of the snapshot are cut short`);
  }
}
