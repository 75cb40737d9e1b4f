import { usageFailure } from "../frame/failure.ts";
import { suggestNearest } from "../frame/suggestion.ts";

/** A line typed at the prompt. */
export type ReplInput =
  | { readonly kind: "nothing" }
  | { readonly kind: "command"; readonly name: ReplCommand; readonly argument: string }
  /** A method for the following calls, optionally with its first message. Without a slash, it is of the current service. */
  | { readonly kind: "method"; readonly method: string; readonly message: string }
  | { readonly kind: "json"; readonly text: string }
  | { readonly kind: "assignments"; readonly assignments: readonly string[] };

export const replCommands = {
  help: "print this list",
  list: "list the services, or the methods of SERVICE",
  describe: "show the current method, or a SYMBOL",
  use: "call METHOD in the following calls",
  header: "send NAME: VALUE with the following calls; without a value, stop sending it",
  end: "end the stream of requests",
  cancel: "cancel the call, as Ctrl-C does",
  again: "send the last message again",
  save: "write the last call to FILE, for tercel call --from",
  exit: "leave, as Ctrl-D does",
} as const;

export type ReplCommand = keyof typeof replCommands;

/** Parses a line. @throws CommandFailure for an unknown command, with the nearest one */
export function parseInput(line: string): ReplInput {
  const text = line.trim();
  if (text === "") return { kind: "nothing" };
  if (text.startsWith(".")) {
    const [, name = "", argument = ""] = /^\.(\S*)\s*(.*)$/s.exec(text) ?? [];
    if (isCommand(name)) return { kind: "command", name, argument };
    const suggestion = suggestNearest(name, Object.keys(replCommands), (nearest) => `.${nearest}`);
    throw usageFailure(`unknown command .${name}; ${suggestion ?? ".help lists the commands"}`);
  }
  if (/^[{["]/.test(text)) return { kind: "json", text };
  const [, first = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  if (/^(?:[\w.]+\/)?[a-z]\w*$/i.test(first)) return { kind: "method", method: first, message: rest };
  if (/^[\w.]+=/.test(first)) return { kind: "assignments", assignments: splitAssignments(text) };
  throw usageFailure(
    `invalid input ${JSON.stringify(first)}: neither a method nor a message`,
    'enter SERVICE/METHOD, a message such as {"name": "Ada"} or name=Ada, or .help',
  );
}

function isCommand(name: string): name is ReplCommand {
  return Object.hasOwn(replCommands, name);
}

/** Splits assignments at spaces outside of quotes: `name="Ada Lovelace" from=3`. */
function splitAssignments(text: string): string[] {
  return [...text.matchAll(/(?<![\w.[\]-])[\w.[\]-]+=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S*))/g)].map(
    ([all, double, single, bare]) => {
      const name = all.slice(0, all.indexOf("="));
      return `${name}=${double !== undefined ? JSON.parse(`"${double}"`) : (single ?? bare ?? "")}`;
    },
  );
}
