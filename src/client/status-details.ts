import { BinaryReader } from "@bufbuild/protobuf/wire";

/** What a node says of an error beside its gRPC status: google.rpc.ErrorInfo and google.rpc.RetryInfo. */
export interface StatusDetails {
  readonly domain: string;
  readonly reason: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly retryAfterMs: number | undefined;
}

const ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo";
const RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo";

type FieldReader = (reader: BinaryReader) => void;

/** Calls the reader of each field that is there; skips the others. */
function eachField(bytes: Uint8Array, fields: Readonly<Record<number, FieldReader>>): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const read = fields[field];
    if (read === undefined) reader.skip(wireType, field);
    else read(reader);
  }
}

/**
 * Reads a `grpc-status-details-bin` trailer (google.rpc.Status). undefined if it carries no ErrorInfo, or if it cannot be
 * read: then the status alone counts.
 */
export function readStatusDetails(bytes: Uint8Array): StatusDetails | undefined {
  try {
    return decodeStatus(bytes);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function decodeStatus(bytes: Uint8Array): StatusDetails | undefined {
  let errorInfo: Uint8Array | undefined;
  let retryInfo: Uint8Array | undefined;
  const any: FieldReader = (reader) => {
    let typeUrl = "";
    let value: Uint8Array = new Uint8Array();
    eachField(reader.bytes(), {
      1: (inner) => {
        typeUrl = inner.string();
      },
      2: (inner) => {
        value = inner.bytes();
      },
    });
    if (typeUrl === ERROR_INFO) errorInfo = value;
    if (typeUrl === RETRY_INFO) retryInfo = value;
  };
  eachField(bytes, { 3: any });
  if (errorInfo === undefined) return undefined;
  return { ...decodeErrorInfo(errorInfo), retryAfterMs: retryInfo && decodeRetryInfo(retryInfo) };
}

function decodeErrorInfo(bytes: Uint8Array): Omit<StatusDetails, "retryAfterMs"> {
  let reason = "";
  let domain = "";
  const metadata = new Map<string, string>();
  eachField(bytes, {
    1: (reader) => {
      reason = reader.string();
    },
    2: (reader) => {
      domain = reader.string();
    },
    3: (reader) => {
      const [key, value] = decodeEntry(reader.bytes());
      metadata.set(key, value);
    },
  });
  return { reason, domain, metadata };
}

function decodeEntry(bytes: Uint8Array): [key: string, value: string] {
  let key = "";
  let value = "";
  eachField(bytes, {
    1: (reader) => {
      key = reader.string();
    },
    2: (reader) => {
      value = reader.string();
    },
  });
  return [key, value];
}

/** RetryInfo { Duration retry_delay = 1 }, Duration { int64 seconds = 1; int32 nanos = 2 }. */
function decodeRetryInfo(bytes: Uint8Array): number {
  let milliseconds = 0;
  const duration: FieldReader = (reader) =>
    eachField(reader.bytes(), {
      1: (inner) => {
        milliseconds += Number(inner.int64()) * 1000;
      },
      2: (inner) => {
        milliseconds += inner.int32() / 1e6;
      },
    });
  eachField(bytes, { 1: duration });
  return milliseconds;
}
