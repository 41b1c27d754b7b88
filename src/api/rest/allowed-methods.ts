import type { HTTPMethods } from "fastify";
import { Problem } from "../problem.js";
import type { RestApp } from "./edge.js";

/** Files of the documentation's pages: their plugin registers them by rules of its own. */
const PAGES = "/swagger";

/** Methods by URL pattern, of all routes added from now on except pages. */
export function collectMethods(app: RestApp): ReadonlyMap<string, ReadonlySet<string>> {
  const methodsByUrl = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    if (url.startsWith(PAGES)) return;
    const methods = methodsByUrl.get(url) ?? new Set();
    methodsByUrl.set(url, methods);
    for (const name of [method].flat()) methods.add(name);
  });
  return methodsByUrl;
}

/**
 * Answers 405 with Allow where a URL exists and the method does not, before any body is read.
 * Call it after all routes are there.
 */
export function refuseOtherMethods(app: RestApp, methodsByUrl: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const [url, methods] of [...methodsByUrl]) {
    const others = app.supportedMethods.filter((method) => !methods.has(method));
    if (others.length === 0) continue;
    const allow = [...methods].sort().join(", ");
    app.route({
      method: others as HTTPMethods[],
      url,
      exposeHeadRoute: false,
      schema: { hide: true },
      onRequest: (request, reply, done) => {
        reply.header("allow", allow);
        done(new Problem("METHOD_NOT_ALLOWED", `${request.method} is not allowed here, only ${allow}`));
      },
      handler: (request) => {
        throw new Problem("METHOD_NOT_ALLOWED", `${request.method} is not allowed here, only ${allow}`);
      },
    });
  }
}
