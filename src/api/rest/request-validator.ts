import type { FastifyReply, FastifyRequest, FastifySchemaCompiler } from "fastify";
import { type TSchema, Type } from "typebox";
import { type FieldCheck, fieldCheck } from "../field-check.js";
import { invalidField, invalidFields, type Problem } from "../problem.js";
import type { RestApp } from "./edge.js";
import { closed, idempotencyHeaders } from "./request-schemas.js";

/** A route that says nothing of a query takes none: a count in the query of a POST must not be lost in silence. */
export function refuseUnknownQueries(app: RestApp): void {
  app.addHook("onRoute", (route) => {
    if (route.schema !== undefined) route.schema = { querystring: Type.Object({}, closed), ...route.schema };
  });
}

const CHANGING_METHODS: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/** Whoever sends a key relies on it: a change that takes none must not happen twice under one, in silence. */
export function refuseUnknownKeys(app: RestApp): void {
  app.addHook("onRoute", (route) => {
    const isChanging = [route.method].flat().some((method) => CHANGING_METHODS.has(method));
    if (!isChanging || route.schema?.headers === idempotencyHeaders) return;
    route.preValidation = [...[route.preValidation ?? []].flat(), refuseKey];
  });
}

function refuseKey(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  done("idempotency-key" in request.headers ? invalidField("idempotency-key", KEYLESS) : undefined);
}

const KEYLESS =
  "absent: only draws take a key; where the outcome of another call is not known, look at the present state first";

type Verdict = true | { readonly value: unknown } | { readonly error: Problem };

/**
 * Compiles a route's schemas. Bodies are taken as they are: nothing is coerced, filled in or
 * removed. In a query string, where everything is text, integers and booleans are read in their
 * plain decimal and literal form only: "1.5", "0x10" and "1e3" stay text and are refused.
 */
export const requestValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = fieldCheck(schema);
  if (httpPart !== "querystring") return (value: unknown) => verdict(check, value) ?? true;
  const readers = queryReaders(schema);
  return (query: unknown): Verdict => {
    const value = readQuery(query, readers);
    return verdict(check, value) ?? { value };
  };
};

function verdict(check: FieldCheck, value: unknown): { readonly error: Problem } | undefined {
  const errors = check(value);
  return errors.length === 0 ? undefined : { error: invalidFields(errors) };
}

type Reader = (text: string) => unknown;

function queryReaders(schema: TSchema): ReadonlyMap<string, Reader> {
  const { properties = {} } = schema as { readonly properties?: Readonly<Record<string, { readonly type?: string }>> };
  const readers = new Map<string, Reader>();
  for (const [name, { type }] of Object.entries(properties)) {
    if (type === "integer") readers.set(name, readInteger);
    if (type === "boolean") readers.set(name, readBoolean);
  }
  return readers;
}

function readQuery(query: unknown, readers: ReadonlyMap<string, Reader>): unknown {
  if (typeof query !== "object" || query === null) return query;
  const read: Record<string, unknown> = { ...query };
  for (const [name, reader] of readers) {
    const given = read[name];
    if (typeof given === "string") read[name] = reader(given);
  }
  return read;
}

/** 17 digits are past 2^53 in any case and stay text. */
function readInteger(text: string): unknown {
  return /^-?[0-9]{1,16}$/.test(text) ? Number(text) : text;
}

function readBoolean(text: string): unknown {
  if (text === "true") return true;
  if (text === "false") return false;
  return text;
}
