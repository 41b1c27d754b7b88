/** The local cluster could not do what it was asked for; the message says which node, which port, and what it printed. */
export class LaunchError extends Error {
  override readonly name: string = "LaunchError";
}

/** What was asked for names a node that the cluster does not have. */
export class NoSuchNode extends LaunchError {
  override readonly name = "NoSuchNode";
}
