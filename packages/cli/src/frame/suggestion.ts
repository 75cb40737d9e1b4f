import { nearestName } from "@tercel/grpc/internal";

/** Returns `did you mean NAME?` with the name that was probably meant; undefined without one. */
export function suggest(name: string | undefined, write: (name: string) => string = String): string | undefined {
  return name === undefined ? undefined : `did you mean ${write(name)}?`;
}

/** Suggests the known name that is nearest to `text`; undefined when none is near. */
export function suggestNearest(
  text: string,
  known: readonly string[],
  write?: (name: string) => string,
): string | undefined {
  return suggest(nearestName(text, known), write);
}

/** Suggests the nearest known name, or lists all of them. */
export function suggestOneOf(text: string, known: readonly string[], write?: (name: string) => string): string {
  return suggestNearest(text, known, write) ?? `expected one of ${known.join(", ")}`;
}

/** Appends the suggestion, if there is one, to what is wrong. */
export function withSuggestion(what: string, suggestion: string | undefined): string {
  return suggestion === undefined ? what : `${what}; ${suggestion}`;
}
