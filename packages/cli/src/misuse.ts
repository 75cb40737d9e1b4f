import type { CommanderError } from "commander";
import { type CommandFailure, usageFailure } from "./frame/failure.ts";
import { suggest, suggestOneOf, withSuggestion } from "./frame/suggestion.ts";

/** Converts commander's `error: unknown option '--tagret'\n(Did you mean --target?)` to the form of the other errors. */
export function misuse({ code, message }: CommanderError): CommandFailure {
  if (code === "commander.help") return usageFailure("missing command", "add --help to see the commands");
  const [first = "", suggestion] = message.replace(/^error: /, "").split("\n");
  const choices =
    /^(?:option|command-argument value) '(.+?)'(?: argument '(.*)')? is invalid.*Allowed choices are (.+)\.$/.exec(
      first,
    );
  if (choices !== null) {
    const [, what = "", value, known = ""] = choices;
    const name = /--[\w-]+/.exec(what)?.[0] ?? "argument";
    const given = value ?? what;
    return usageFailure(`invalid ${name} ${JSON.stringify(given)}: ${suggestOneOf(given, known.split(", "))}`);
  }
  const text = first.replace(/'([^']*)'/g, '"$1"').replace(/\.$/, "");
  const nearest = /^\(Did you mean (?:one of )?(.+?)\?\)$/.exec(suggestion ?? "")?.[1];
  return usageFailure(withSuggestion(text, suggest(nearest?.replaceAll(", ", " or "))));
}
