import { BinaryReader } from "@bufbuild/protobuf/wire";

/** Bytes that are no message of the expected type. grpc-js would answer INTERNAL if the decoder threw. */
export class Malformed {
  constructor(readonly reason: string) {}
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Proto3 strings are UTF-8: a caller's broken text must not be stored with replacement characters in it. */
function decodeUtf8(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

interface Decoder<Message> {
  decode(reader: BinaryReader): Message;
}

/**
 * Decodes a request. Stricter than the generated code, which ends silently at a zero tag or a stray end of a group and
 * keeps broken text.
 * @returns Malformed instead of throwing
 */
export function decodeRequest<Message>(decoder: Decoder<Message>, bytes: Uint8Array): Message | Malformed {
  try {
    const reader = new BinaryReader(bytes, decodeUtf8);
    requireFields(reader);
    reader.pos = 0;
    return decoder.decode(reader);
  } catch (error) {
    if (error instanceof TypeError) return new Malformed("a text in it is not UTF-8");
    if (error instanceof Error) return new Malformed(error.message);
    throw error;
  }
}

/** @throws Error unless the bytes are a sequence of fields and nothing else */
function requireFields(reader: BinaryReader): void {
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    reader.skip(wireType, field);
  }
}
