import { isUtf8 } from "node:buffer";
import { shownName } from "../field-check.js";
import { invalidField, type Problem } from "../problem.js";
import type { RestApp } from "./edge.js";
import { repeatedMember } from "./repeated-member.js";

/** Property names that would reach an object's prototype; none of them is a field of any request. */
const POISON = ["__proto__", "constructor"];

/**
 * Bodies are application/json in UTF-8 and nothing else: broken text is not stored with replacement
 * characters in it, and a name stands once. fastify's parser refuses malformed text and poisoned
 * property names with one and the same error; here the caller is told which it was.
 */
export function acceptJsonOnly(app: RestApp): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>("application/json", { parseAs: "buffer" }, (request, body, done) => {
    if (!isUtf8(body)) {
      done(invalidField("", "JSON in UTF-8"));
      return;
    }
    const text = body.toString("utf8");
    void parse(request, text, (error, value) => {
      if (error) {
        done(problemOfText(text));
        return;
      }
      const twice = repeatedMember(text);
      if (twice === undefined) done(null, value);
      else done(invalidField(shownName(twice), "there once"));
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
