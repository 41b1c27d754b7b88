import { invalidField, type Problem } from "../problem.js";
import type { RestApp } from "./edge.js";

/** Property names that would reach an object's prototype; none of them is a field of any request. */
const POISON = ["__proto__", "constructor"];

/**
 * Bodies are application/json and nothing else. fastify's parser refuses malformed text and poisoned
 * property names with one and the same error; here the caller is told which it was.
 */
export function acceptJsonOnly(app: RestApp): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    void parse(request, body, (error, value) => {
      if (error) done(problemOfText(body));
      else done(null, value);
    });
  });
}

function problemOfText(text: string): Problem {
  if (text.trim() === "") return invalidField("", "a JSON object, not an empty body");
  try {
    JSON.parse(text);
  } catch {
    return invalidField("", "well-formed JSON");
  }
  // Well-formed and refused all the same: the parser saw one of these, escaped or not.
  const field = POISON.find((name) => text.includes(name)) ?? "__proto__";
  return invalidField(field, "absent: no request has a field of this name");
}
