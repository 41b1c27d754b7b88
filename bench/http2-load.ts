import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { getNextFrame, getNextPath, spread } from "./grpc-frame.js";
import { type LoadGenerator, type LoadOutcome, type LoadPlan, latencyHistogram, percentilesOf } from "./load.js";

const requestHeaders = {
  [constants.HTTP2_HEADER_METHOD]: "POST",
  [constants.HTTP2_HEADER_PATH]: getNextPath,
  [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
  [constants.HTTP2_HEADER_TE]: "trailers",
};

/** Resolves with gRPC's status; undefined if the stream ended without one. */
function grpcStatus(stream: ClientHttp2Stream): Promise<string | undefined> {
  return new Promise((resolve) => {
    let status: string | undefined;
    const read = (headers: { readonly [name: string]: unknown }): void => {
      const value = headers["grpc-status"];
      if (typeof value === "string") status = value;
    };
    // An error at once comes in the headers, everything else in the trailers.
    stream.on("response", read).on("trailers", read);
    stream.on("error", () => resolve(undefined)).on("close", () => resolve(status));
    stream.resume();
  });
}

/** One run's counts, shared by all its streams. */
class Http2Load {
  readonly #histogramUs = latencyHistogram();
  readonly #frame: Buffer;
  #failed = 0;
  #over = false;

  constructor(prefix: string) {
    this.#frame = getNextFrame(prefix);
  }

  /** Requests in a row, until the time is over: each one of `inFlight`. */
  async #drawOn(session: ClientHttp2Session): Promise<void> {
    while (!this.#over && !session.destroyed) {
      const started = performance.now();
      const stream = session.request(requestHeaders);
      stream.end(this.#frame);
      const status = await grpcStatus(stream);
      if (status === "0") this.#histogramUs.recordValue(Math.max(1, Math.round((performance.now() - started) * 1000)));
      else this.#failed += 1;
    }
  }

  async run({ host, port, inFlight, seconds }: LoadPlan): Promise<LoadOutcome> {
    const { connections, streams } = spread(inFlight);
    const sessions = Array.from({ length: connections }, () => connect(`http://${host}:${port}`));
    await Promise.all(sessions.map((session) => once(session, "connect")));
    const started = performance.now();
    const timer = setTimeout(() => {
      this.#over = true;
    }, seconds * 1000);
    await Promise.all(sessions.flatMap((session) => Array.from({ length: streams }, () => this.#drawOn(session))));
    clearTimeout(timer);
    const elapsed = (performance.now() - started) / 1000;
    for (const session of sessions) session.close();
    return {
      acknowledged: this.#histogramUs.totalCount,
      failed: this.#failed,
      unknownMax: this.#failed,
      seconds: elapsed,
      latencyMs: percentilesOf(this.#histogramUs),
    };
  }
}

/** Unary gRPC on bare HTTP/2: needs nothing installed and costs less than grpc-js' client. */
export const http2Load: LoadGenerator = {
  name: "node:http2",
  protocol: "grpc",
  run: (plan) => new Http2Load(plan.prefix).run(plan),
};
