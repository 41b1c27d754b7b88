/** A file of LevelDB's is not of its form: a clause that goes on after the file's name. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

const VARINT_BYTES_MAX = 10;

/** LevelDB's encodings, from the front to the end. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Seven bits a byte, the least significant first. @throws Malformed, also beyond 2^53 − 1 */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let read = 0; read < VARINT_BYTES_MAX; read++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) break;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) break;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new Malformed("holds a number that cannot be read");
  }

  /** @throws Malformed if there are fewer */
  bytes(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Malformed("is cut short");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** With its length before it. @throws Malformed */
  prefixed(): Buffer {
    return this.bytes(this.varint());
  }
}
