import type { ServerOptions } from "@grpc/grpc-js";

const KIBIBYTE = 1024;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/** Every limit of the public gRPC port. */
export const serverOptions: ServerOptions = {
  // The largest sensible request holds a few texts of some hundred characters.
  "grpc.max_receive_message_length": KIBIBYTE * KIBIBYTE,
  // 10 000 numbers of a long template.
  "grpc.max_send_message_length": 64 * KIBIBYTE * KIBIBYTE,
  "grpc.max_concurrent_streams": 1024,
  // Clients that vanished without a word are noticed.
  "grpc.keepalive_time_ms": 30 * SECOND_MS,
  "grpc.keepalive_timeout_ms": 10 * SECOND_MS,
  "grpc.keepalive_permit_without_calls": 1,
  // Clients reconnect now and then, so that they spread again after a node came back.
  "grpc.max_connection_age_ms": 60 * MINUTE_MS,
  "grpc.max_connection_age_grace_ms": MINUTE_MS,
  "grpc.max_connection_idle_ms": 15 * MINUTE_MS,
  // Bookkeeping per call that nobody reads.
  "grpc.enable_channelz": 0,
};
