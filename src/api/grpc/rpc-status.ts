import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** google.rpc.Status with an ErrorInfo and, where waiting helps, a RetryInfo; field numbers are those of google/rpc. */
export interface RpcStatus {
  /** gRPC status code. */
  readonly code: number;
  readonly message: string;
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterSeconds: number | undefined;
}

const DOMAIN = "folio";

/** The value of the trailer `grpc-status-details-bin`. */
export function encodeRpcStatus(status: RpcStatus): Buffer {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(status.code);
  writer.tag(2, WireType.LengthDelimited).string(status.message);
  writeAny(writer, "google.rpc.ErrorInfo", errorInfo(status));
  if (status.retryAfterSeconds !== undefined) {
    writeAny(writer, "google.rpc.RetryInfo", retryInfo(status.retryAfterSeconds));
  }
  return Buffer.from(writer.finish());
}

function writeAny(writer: BinaryWriter, type: string, value: Uint8Array): void {
  writer.tag(3, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(`type.googleapis.com/${type}`);
  writer.tag(2, WireType.LengthDelimited).bytes(value);
  writer.join();
}

function errorInfo(status: RpcStatus): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string(status.reason);
  writer.tag(2, WireType.LengthDelimited).string(DOMAIN);
  for (const [key, value] of Object.entries(status.metadata)) {
    writer.tag(3, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(key);
    writer.tag(2, WireType.LengthDelimited).string(value);
    writer.join();
  }
  return writer.finish();
}

/** RetryInfo { Duration retry_delay = 1 }, Duration { int64 seconds = 1 }. */
function retryInfo(seconds: number): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.Varint).int64(seconds);
  writer.join();
  return writer.finish();
}
