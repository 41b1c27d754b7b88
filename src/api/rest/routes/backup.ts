import { Readable } from "node:stream";
import type { Logger } from "pino";
import { Type } from "typebox";
import type { Administration } from "../../port.js";
import { Problem } from "../../problem.js";
import { KEY_NEEDED, problemResponses } from "../answer-schemas.js";
import type { RestApp } from "../edge.js";
import { closed } from "../request-schemas.js";

const MEDIA_TYPE = "application/octet-stream";

/** GET /cluster/backup: a consistent copy of the asked node's state, as `folio restore` takes it. */
export function backupRoutes(app: RestApp, administration: Administration, logger: Logger): void {
  const file = { description: "A backup file", content: { [MEDIA_TYPE]: { schema: { type: "string" } } } };
  app.get(
    "/cluster/backup",
    {
      // A HEAD would take a whole copy to say nothing about it.
      exposeHeadRoute: false,
      config: { access: "admin" },
      schema: {
        tags: ["administration"],
        security: KEY_NEEDED,
        summary: "A consistent, checksummed copy of this node's state, streamed while draws go on",
        querystring: Type.Object({}, closed),
        response: { 200: file, ...problemResponses },
      },
    },
    async (request, reply) => {
      const chunks = await begun(administration.backup(), (error) => {
        logger.error({ request_id: request.id, err: error }, "a backup broke off");
      });
      reply
        .header("cache-control", "no-store")
        .header("content-type", MEDIA_TYPE)
        .header("content-disposition", 'attachment; filename="folio.backup"');
      return reply.send(Readable.from(chunks, { objectMode: false }));
    },
  );
}

/**
 * The same chunks, the first of which is there already: what cannot be begun is still answered as a problem. Whoever
 * reads no further lets go of the copy.
 */
async function begun(
  chunks: AsyncIterable<Uint8Array>,
  failed: (error: unknown) => void,
): Promise<AsyncIterable<Uint8Array>> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) throw new Problem("NOT_EXECUTED", "this node has no state to copy yet");
  let isFirst = true;
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        if (isFirst) {
          isFirst = false;
          return first;
        }
        try {
          return await iterator.next();
        } catch (error) {
          // The status has gone out long ago: only the log can tell.
          failed(error);
          throw error;
        }
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
  };
}
