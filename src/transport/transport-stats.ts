/** What a transport counts, since it was made. */
export interface TransportStats {
  readonly framesSent: number;
  readonly framesReceived: number;
  /** No stream, a full buffer, or larger than can be sent. */
  readonly framesDropped: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Of kinds that only a newer version knows. */
  readonly messagesUnknown: number;
  /** Streams that came up. */
  readonly streamsOpened: number;
  /** Streams ended because of what arrived on them. */
  readonly streamsMalformed: number;
  /** Peers, strangers included, that a stream is up to now. */
  readonly peersConnected: number;
}

export type TransportCounters = { -readonly [name in Exclude<keyof TransportStats, "peersConnected">]: number };

export function newCounters(): TransportCounters {
  return {
    framesSent: 0,
    framesReceived: 0,
    framesDropped: 0,
    bytesSent: 0,
    bytesReceived: 0,
    messagesUnknown: 0,
    streamsOpened: 0,
    streamsMalformed: 0,
  };
}
