import { randomUUID } from "node:crypto";
import autocannon from "autocannon";
import {
  clientId,
  type LoadGenerator,
  type LoadOutcome,
  type LoadPlan,
  latencyHistogram,
  percentilesOf,
} from "./load.js";

function withKey(request: autocannon.Request): autocannon.Request {
  return { ...request, headers: { ...request.headers, "idempotency-key": randomUUID() } };
}

/** REST by autocannon: needs nothing installed, but its client takes about as much processor as the server. */
export const autocannonLoad: LoadGenerator = {
  name: "autocannon",
  protocol: "rest",
  async run({ host, port, prefix, inFlight, seconds, isKeyed = false }: LoadPlan): Promise<LoadOutcome> {
    const histogram = latencyHistogram();
    const result = await new Promise<autocannon.Result>((resolve, reject) => {
      const running = autocannon(
        {
          url: `http://${host}:${port}/api/v1/next`,
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ prefix, client_id: clientId }),
          connections: inFlight,
          duration: seconds,
          timeout: 10,
          ...(isKeyed ? { requests: [{ setupRequest: withKey }] } : {}),
        },
        (error: unknown, ended) => (error ? reject(error) : resolve(ended)),
      );
      running.on("response", (_client, _status, _bytes, responseMs) => {
        histogram.recordValue(Math.max(1, Math.round(responseMs * 1000)));
      });
    });
    const failed = result.non2xx + result.errors;
    return {
      acknowledged: result["2xx"],
      failed,
      unknownMax: failed + inFlight,
      seconds: result.duration,
      latencyMs: percentilesOf(histogram),
    };
  },
};
