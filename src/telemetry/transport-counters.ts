import { Counter, Gauge, type Registry } from "prom-client";

/** What the peer transport counts, since it was made. */
export interface PeerTraffic {
  readonly framesSent: number;
  readonly framesReceived: number;
  readonly framesDropped: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly streamsOpened: number;
  readonly peersConnected: number;
}

type Counted = Exclude<keyof PeerTraffic, "peersConnected">;

const COUNTERS: readonly { readonly name: string; readonly help: string; readonly of: Counted }[] = [
  { name: "raft_peer_frames_sent_total", help: "Frames sent to peers.", of: "framesSent" },
  { name: "raft_peer_frames_received_total", help: "Frames received from peers.", of: "framesReceived" },
  { name: "raft_peer_frames_dropped_total", help: "Frames dropped: no stream, or a full buffer.", of: "framesDropped" },
  { name: "raft_peer_sent_bytes_total", help: "Bytes sent to peers.", of: "bytesSent" },
  { name: "raft_peer_received_bytes_total", help: "Bytes received from peers.", of: "bytesReceived" },
  { name: "raft_peer_streams_opened_total", help: "Streams to and from peers that came up.", of: "streamsOpened" },
];

/** Registers counters that are read from the transport when metrics are: nothing on the hot path. */
export function registerTransportCounters(registry: Registry, traffic: () => PeerTraffic): void {
  const registers = [registry];
  for (const { name, help, of } of COUNTERS) {
    let seen = 0;
    new Counter({
      name,
      help,
      registers,
      collect() {
        const now = traffic()[of];
        this.inc(now - seen);
        seen = now;
      },
    });
  }
  new Gauge({
    name: "raft_peers_connected",
    help: "Peers that a stream is up to now.",
    registers,
    collect() {
      this.set(traffic().peersConnected);
    },
  });
}
