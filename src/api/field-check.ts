import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { FieldError } from "./problem.js";

/** No answer grows with the number of things that are wrong. */
const ERRORS_MAX = 10;

interface SchemaNode {
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

interface SchemaIssue {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
}

/** Says what is wrong with a value; an empty list when nothing is. */
export type FieldCheck = (value: unknown) => readonly FieldError[];

/**
 * Compiles a schema once; the check costs nothing beyond it as long as values are right. Values
 * are never changed: no coercion, no defaults, no removal of unknown fields.
 */
export function fieldCheck(schema: TSchema): FieldCheck {
  const compiled = Compile(schema);
  return (value) => (compiled.Check(value) ? [] : errorsOf(compiled.Errors(value), schema));
}

function errorsOf(issues: readonly SchemaIssue[], schema: TSchema): readonly FieldError[] {
  const errors = new Map<string, FieldError>();
  for (const issue of issues) {
    for (const error of errorsOfIssue(issue, schema)) {
      if (errors.size < ERRORS_MAX && !errors.has(error.field)) errors.set(error.field, error);
    }
  }
  // typebox stops collecting at a limit of its own; whatever it left, a value that failed has an error.
  if (errors.size === 0) return [wrongField([], schema)];
  return [...errors.values()];
}

function errorsOfIssue(issue: SchemaIssue, schema: TSchema): FieldError[] {
  const path = segments(issue.instancePath);
  switch (issue.keyword) {
    // The schema `false` that stands for unknown fields.
    case "boolean":
      return [unknownField(path, schema)];
    case "additionalProperties":
      return named(issue.params, "additionalProperties").map((name) => unknownField([...path, name], schema));
    case "required":
      return named(issue.params, "requiredProperties").map((name) => missingField([...path, name], schema));
    default:
      return [wrongField(path, schema)];
  }
}

function unknownField(path: readonly string[], schema: TSchema): FieldError {
  const known = Object.keys(nodeAt(schema, path.slice(0, -1))?.properties ?? {});
  const expected = known.length === 0 ? "no field at all" : `one of ${known.join(", ")}`;
  const field = shown(path);
  return { field, expected, message: `${field} is not a field of this request; it takes ${expected}` };
}

function missingField(path: readonly string[], schema: TSchema): FieldError {
  const expected = nodeAt(schema, path)?.description ?? "present";
  const field = shown(path);
  return { field, expected, message: `${field} is missing; it must be ${expected}` };
}

function wrongField(path: readonly string[], schema: TSchema): FieldError {
  const node = nodeAt(schema, path);
  if (path.length === 0) {
    return { field: "", expected: "a JSON object", message: "the request must be a JSON object" };
  }
  const expected = node?.description ?? (node?.type === undefined ? "valid" : `of type ${node.type}`);
  const field = shown(path);
  return { field, expected, message: `${field} must be ${expected}` };
}

function nodeAt(schema: TSchema, path: readonly string[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = schema;
  for (const name of path) {
    const properties: Readonly<Record<string, SchemaNode>> = node?.properties ?? {};
    node = Object.hasOwn(properties, name) ? properties[name] : undefined;
  }
  return node;
}

function named(params: object, key: string): string[] {
  const value: unknown = Reflect.get(params, key);
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}

/** JSON pointer to names (RFC 6901). */
function segments(pointer: string): string[] {
  if (pointer === "") return [];
  return pointer
    .slice(1)
    .split("/")
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

const NAME_LENGTH_MAX = 100;

/** Names of fields go back to the caller, but not at any length and not with control characters. */
function shown(path: readonly string[]): string {
  return shownName(path.join("."));
}

/** As it may go back to the caller. */
export function shownName(name: string): string {
  // A name without characters would read like the request as a whole.
  return name === "" ? '""' : name.slice(0, NAME_LENGTH_MAX).replace(/\p{C}/gu, "?");
}
