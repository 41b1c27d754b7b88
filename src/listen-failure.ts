/** An address cannot be listened on: a sentence that names it, for whoever configured it. Nobody needs the stack. */
export class ListenFailure extends Error {
  override readonly name = "ListenFailure";
}

/** What the system said, without what the gRPC library wraps around it. */
export function listenFailure(what: string, address: string, cause: Error): ListenFailure {
  return new ListenFailure(`${what} cannot listen on ${address}: ${reasonOf(cause.message)}`, { cause });
}

function reasonOf(message: string): string {
  if (message.includes("EADDRINUSE")) return "another process listens there (EADDRINUSE)";
  if (message.includes("EADDRNOTAVAIL")) return "this machine has no such address (EADDRNOTAVAIL)";
  if (message.includes("EACCES")) return "this user may not listen there (EACCES)";
  return message;
}
