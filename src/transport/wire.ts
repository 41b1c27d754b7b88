import { invariant } from "../assert.js";

/**
 * Protobuf's wire format for the few hot messages of the peer protocol. Against the generated code
 * it saves the bigint that stands behind every 64-bit field and the copies that nesting costs there
 * (a payload is moved once per level): sizes are known first, then every byte is written once.
 *
 * Source: https://protobuf.dev/programming-guides/encoding/
 */

/** The bytes are no message of the protocol. */
export class MalformedFrame extends Error {
  override readonly name = "MalformedFrame";
}

export const WireType = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

/** Largest value whose bits a 32-bit shift still sees. */
const INT32_MAX = 0x7fff_ffff;

export function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

/** Bytes of a varint. @param value a safe integer of 0 or more (asserted here, once for the writing too) */
export function varintSize(value: number): number {
  invariant(Number.isSafeInteger(value) && value >= 0, () => `${value} cannot be encoded as an unsigned integer`);
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/** Bytes of a length-delimited value, without its tag. */
export function delimitedSize(length: number): number {
  return varintSize(length) + length;
}

/** Writes into exactly the bytes that were computed beforehand. */
export class WireWriter {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafe(size);
  }

  varint(value: number): void {
    const bytes = this.#bytes;
    let rest = value;
    let position = this.#position;
    while (rest > INT32_MAX) {
      bytes[position++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest > 0x7f) {
      bytes[position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[position++] = rest;
    this.#position = position;
  }

  /** A number field; left out when 0, as proto3 does. @param oneByteTag below 0x80: fields 1 to 15 */
  field(oneByteTag: number, value: number): void {
    if (value === 0) return;
    this.#bytes[this.#position++] = oneByteTag;
    this.varint(value);
  }

  /** Tag and length of what the caller writes next. */
  open(oneByteTag: number, length: number): void {
    this.#bytes[this.#position++] = oneByteTag;
    this.varint(length);
  }

  raw(value: Uint8Array): void {
    this.#bytes.set(value, this.#position);
    this.#position += value.byteLength;
  }

  finish(): Buffer {
    invariant(this.#position === this.#bytes.byteLength, "a message takes exactly the bytes computed for it");
    return this.#bytes;
  }
}

/** Reads one message and those nested in it. @throws MalformedFrame */
export class WireReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.byteLength;
  }

  /** Whether the message that is being read goes on. */
  get more(): boolean {
    return this.#position < this.#end;
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (let size = 1; size <= 10; size += 1) {
      const byte = this.#position < this.#end ? this.#bytes[this.#position++] : undefined;
      if (byte === undefined) throw new MalformedFrame("a number is cut short");
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw new MalformedFrame("a number is larger than 2^53-1");
        return value;
      }
      factor *= 0x80;
    }
    throw new MalformedFrame("a number is longer than ten bytes");
  }

  /** A view of the bytes, not a copy. */
  bytes(): Uint8Array {
    const start = this.#advance(this.varint());
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, this.#position - start);
  }

  /** Narrows the reader to the nested message that follows; returns what `leave` needs. */
  enter(): number {
    const outer = this.#end;
    const length = this.varint();
    if (length > outer - this.#position) throw new MalformedFrame("a nested message passes the end of its parent");
    this.#end = this.#position + length;
    return outer;
  }

  leave(outer: number): void {
    this.#end = outer;
  }

  /** Passes over a field that this version does not know. */
  skip(unknownTag: number): void {
    if (unknownTag < 8) throw new MalformedFrame("a field has number 0");
    switch (unknownTag & 7) {
      case WireType.varint:
        this.#skipVarint();
        return;
      case WireType.fixed64:
        this.#advance(8);
        return;
      case WireType.lengthDelimited:
        this.#advance(this.varint());
        return;
      case WireType.fixed32:
        this.#advance(4);
        return;
      default:
        throw new MalformedFrame(`a field has wire type ${unknownTag & 7}, which the protocol does not use`);
    }
  }

  /** Unlike ours, a number of an unknown field may be of any size. */
  #skipVarint(): void {
    for (let size = 1; size <= 10; size += 1) {
      const start = this.#advance(1);
      if ((this.#bytes[start] ?? 0) < 0x80) return;
    }
    throw new MalformedFrame("a number is longer than ten bytes");
  }

  #advance(length: number): number {
    const start = this.#position;
    if (length > this.#end - start) throw new MalformedFrame("a value passes the end of its message");
    this.#position = start + length;
    return start;
  }
}
