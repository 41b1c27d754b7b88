import type { Command } from "commander";

/** Commander takes it for a parameter of the command that runs where none is named, and speaks of too many. */
export function refuseUnknown(group: Command): void {
  const [name] = group.args;
  const names = group.commands.map((command) => command.name());
  if (name === undefined || name.startsWith("-") || names.includes(name)) return;
  const sentence = `error: there is no command '${group.name()} ${name}'; there are ${names.join(", ")}`;
  group.error(sentence, { code: "commander.unknownCommand" });
}
