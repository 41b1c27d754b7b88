import { Client, type ClientDuplexStream, credentials, type Metadata } from "@grpc/grpc-js";
import type { NodeId } from "../raft/types.js";
import type { Backoff } from "./backoff.js";
import { DIALLER_OPTIONS, identify, identityOf, PEER_SERVICE } from "./peer-protocol.js";

/** An attempt that has not come up by then is given up: a new one gets through sooner than TCP's retries. */
const CONNECT_TIMEOUT_MS = 2_000;

/** A stream that this node opened, and the channel that carries nothing else. */
export interface OutboundCall {
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  /** Ends the call and closes its connection. */
  readonly hangUp: () => void;
}

export interface PeerDiallerOptions {
  readonly self: NodeId;
  readonly peer: NodeId;
  /** host:port; a name may begin to resolve later. */
  readonly address: string;
  readonly backoff: Backoff;
  /** Asked before each attempt that follows a failure. */
  readonly wanted: () => boolean;
  readonly connected: (outbound: OutboundCall) => void;
  readonly failed: (reason: string) => void;
}

/**
 * Opens streams to one peer. Every attempt has a channel of its own, so that gRPC's caches of names
 * and its own backoff stay out of the way. It dials when told to, and goes on until it is through.
 */
export class PeerDialler {
  readonly #options: PeerDiallerOptions;
  #state: "idle" | "waiting" | "dialling" | "stopped" = "idle";
  #timer: NodeJS.Timeout | undefined;
  #abandon: (() => void) | undefined;

  constructor(options: PeerDiallerOptions) {
    this.#options = options;
  }

  get address(): string {
    return this.#options.address;
  }

  /** Begins to dial, if it does not already. */
  dial(): void {
    if (this.#state === "idle") this.#attempt();
  }

  /** Begins to dial once the backoff has passed, if it does not already. */
  dialLater(): void {
    if (this.#state !== "idle") return;
    this.#state = "waiting";
    this.#timer = setTimeout(() => {
      this.#state = "idle";
      if (this.#options.wanted()) this.#attempt();
    }, this.#options.backoff.nextDelayMs());
  }

  stop(): void {
    this.#state = "stopped";
    clearTimeout(this.#timer);
    this.#abandon?.();
  }

  #attempt(): void {
    this.#state = "dialling";
    const { self, address } = this.#options;
    const client = new Client(`dns:${address}`, credentials.createInsecure(), DIALLER_OPTIONS);
    const { path, requestSerialize, responseDeserialize } = PEER_SERVICE.exchange;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, identify(self));
    const hangUp = (): void => {
      call.cancel();
      client.close();
    };
    let settled = false;
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      clearTimeout(this.#timer);
      this.#abandon = undefined;
      return true;
    };
    const fail = (reason: string): void => {
      if (!settle()) return;
      hangUp();
      if (this.#state === "stopped") return;
      this.#state = "idle";
      this.dialLater();
      this.#options.failed(reason);
    };
    this.#abandon = () => fail("given up");
    this.#timer = setTimeout(() => fail(`no answer within ${CONNECT_TIMEOUT_MS} ms`), CONNECT_TIMEOUT_MS);
    // A call that ends early says why in its error; one that lives on is watched by its stream.
    call.on("error", (error: Error) => fail(error.message));
    call.on("metadata", (metadata: Metadata) => {
      const wrong = this.#wrongAnswer(metadata);
      if (wrong !== undefined) return fail(wrong);
      if (!settle()) return;
      this.#state = "idle";
      this.#options.connected({ call, hangUp });
    });
  }

  #wrongAnswer(metadata: Metadata): string | undefined {
    const { address, peer } = this.#options;
    const answerer = identityOf(metadata);
    return answerer === peer ? undefined : `${address} answers as node ${answerer ?? "without a name"}`;
  }
}
