import { type ChannelOptions, Metadata, type ServiceDefinition } from "@grpc/grpc-js";
import type { NodeId } from "../raft/types.js";

/** What both ends of a peer stream agree on: the method, its limits, how a node says who it is. */

/** A frame is filled up to here; a single message that is larger travels alone. */
export const FRAME_LIMIT_BYTES = 4 * 1024 * 1024;
/** Nothing larger is sent or taken. */
export const MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024;

const passThrough = (bytes: Buffer): Buffer => bytes;

/** Encoded and decoded by those who make and read the messages; gRPC carries bytes. */
const OPAQUE = {
  requestSerialize: passThrough,
  requestDeserialize: passThrough,
  responseSerialize: passThrough,
  responseDeserialize: passThrough,
} as const;

export const PEER_SERVICE = {
  exchange: { path: "/folio.peer.v1.PeerService/Exchange", requestStream: true, responseStream: true, ...OPAQUE },
  fetchSnapshot: {
    path: "/folio.peer.v1.PeerService/FetchSnapshot",
    requestStream: false,
    responseStream: true,
    ...OPAQUE,
  },
  changeMembers: {
    path: "/folio.peer.v1.PeerService/ChangeMembers",
    requestStream: false,
    responseStream: false,
    ...OPAQUE,
  },
  describe: { path: "/folio.peer.v1.PeerService/Describe", requestStream: false, responseStream: false, ...OPAQUE },
} as const satisfies ServiceDefinition;

/**
 * The last resort only: the transport itself notices silence within 2 s and dials anew beside the
 * silent stream. These end a stream whose peer has been gone for 10 to 12 s, and leave one alone
 * whose peer was merely stopped for 5.
 */
const KEEPALIVE = {
  "grpc.keepalive_time_ms": 2_000,
  "grpc.keepalive_timeout_ms": 8_000,
} as const;

const SIZES = {
  "grpc.max_receive_message_length": MESSAGE_LIMIT_BYTES,
  "grpc.max_send_message_length": MESSAGE_LIMIT_BYTES,
  "grpc.enable_channelz": 0,
} as const;

export const LISTENER_OPTIONS: ChannelOptions = {
  ...KEEPALIVE,
  ...SIZES,
  // A connection carries one call: a stream, a snapshot or a question.
  "grpc.max_concurrent_streams": 8,
};

export const DIALLER_OPTIONS: ChannelOptions = {
  ...KEEPALIVE,
  ...SIZES,
  "grpc.keepalive_permit_without_calls": 0,
  // A connection of its own, so that closing the channel closes it.
  "grpc.use_local_subchannel_pool": 1,
  // A channel serves one attempt; these only keep gRPC from retrying in its lifetime.
  "grpc.initial_reconnect_backoff_ms": 1_000,
  "grpc.max_reconnect_backoff_ms": 2_000,
  // A frame whose fate is unknown is never repeated by gRPC, and a write ends when it was written.
  "grpc.enable_retries": 0,
  "grpc.per_rpc_retry_buffer_size": 0,
  "grpc.service_config_disable_resolution": 1,
  // Peers are reached directly, whatever http_proxy says.
  "grpc.enable_http_proxy": 0,
  "grpc-node.flow_control_window": 8 * 1024 * 1024,
};

/** A snapshot is pulled: the receiver's window bounds what it holds unread. */
export const FETCH_OPTIONS: ChannelOptions = { ...DIALLER_OPTIONS, "grpc-node.flow_control_window": 2 * 1024 * 1024 };

const NODE_ID_KEY = "folio-node-id";
const NODE_ID_PATTERN = /^[1-9][0-9]{0,9}$/;
export const NODE_ID_MAX = 2 ** 31 - 1;

export function identify(nodeId: NodeId): Metadata {
  const metadata = new Metadata();
  metadata.set(NODE_ID_KEY, String(nodeId));
  return metadata;
}

/** Undefined when the other end does not say who it is, or says nonsense. */
export function identityOf(metadata: Metadata): NodeId | undefined {
  const values = metadata.get(NODE_ID_KEY);
  const [value] = values;
  if (values.length !== 1 || typeof value !== "string" || !NODE_ID_PATTERN.test(value)) return undefined;
  const nodeId = Number(value);
  return nodeId <= NODE_ID_MAX ? nodeId : undefined;
}
