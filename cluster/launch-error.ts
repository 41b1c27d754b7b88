/** The local cluster could not do what it was asked for; the message says which node, which port, and what it printed. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";
}
