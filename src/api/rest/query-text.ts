import type { FastifyReply, FastifyRequest } from "fastify";
import { invalidField } from "../problem.js";

/**
 * onRequest: refuses a query that cannot be decoded. fastify would hand out such a part as it stands, and a
 * client_id of "%ff" would be journalled that nobody meant.
 */
export function refuseBrokenQuery(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  const { url } = request;
  const query = url.indexOf("?");
  if (query < 0 || isDecodable(url.slice(query + 1))) done();
  else done(invalidField("", "sent to a URL whose query can be decoded"));
}

function isDecodable(text: string): boolean {
  if (!text.includes("%")) return true;
  try {
    decodeURIComponent(text);
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}
