const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, "nobody listens there (ECONNREFUSED)"],
  [/EHOSTUNREACH|ENETUNREACH/, "there is no way to that address"],
  [/ETIMEDOUT/, "it does not answer (ETIMEDOUT)"],
  [/^Name resolution failed/, "its name cannot be resolved"],
  // What an HTTP/1 server does to a gRPC call.
  [/Protocol error/, "what listens there is no peer port; is it the REST port?"],
];

/** Why there is no connection, in a few words, from what grpc-js says about it. */
export function connectionTrouble(details: string): string {
  const known = KNOWN.find(([pattern]) => pattern.test(details));
  if (known !== undefined) return known[1];
  return details
    .replace(/^No connection established\.\s*(Last error: )?(Error: )?/, "")
    .replace(/\.?\s*Resolution note:[\s\S]*$/, "")
    .replace(/\s*\(\d{4}-\d\d-\d\dT[\d:.]+Z\)/g, "");
}
