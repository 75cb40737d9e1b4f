import { ConnectError } from "@connectrpc/connect";

/** Longer ones are cut: a stack says what it has to say on its first lines, and a thrown text may hold a whole request. */
const maxChars = 8192;
const maxCauses = 5;
const notShown = "a value that cannot be shown";

/** What was thrown, as text for a log: an Error's stack and those of its causes. Never throws, whatever it is given. */
export function thrownText(thrown: unknown): string {
  let text = oneText(thrown);
  let cause = causeOf(thrown);
  for (let at = 0; at < maxCauses && cause !== undefined && text.length < maxChars; at++) {
    text += `\ncaused by: ${oneText(cause)}`;
    cause = causeOf(cause);
  }
  return text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
}

/** What was thrown in one line or a few: an Error's message without its stack. Never throws, whatever it is given. */
export function thrownMessage(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown).slice(0, maxChars);
  } catch {
    return notShown;
  }
}

/**
 * Returns what was thrown when it can be examined without harm, and otherwise an Error that says so: JavaScript throws anything, a
 * Proxy whose traps throw and an Error with a getter that throws included, and the code that handles a failure must not fail because of it.
 */
export function inspectable(thrown: unknown): unknown {
  try {
    // A ConnectError was meant as a status, so its stack, which takes time to make, is not looked at.
    if (thrown instanceof ConnectError) return thrown;
    if (thrown instanceof Error) {
      // Each getter runs here, and is turned into text here, so that neither surprises a log.
      for (const text of [thrown.name, thrown.message, thrown.stack]) String(text);
      void thrown.cause;
    }
    return thrown;
  } catch (cause) {
    return new Error("a value was thrown that cannot be examined", { cause: thrownMessage(cause) });
  }
}

function oneText(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return String(thrown.stack ?? `${thrown.name}: ${thrown.message}`);
    if (typeof thrown === "string") return `the text ${JSON.stringify(thrown.slice(0, maxChars))}`;
    if (typeof thrown === "object" && thrown !== null) {
      return `an object with ${Object.keys(thrown).slice(0, 20).join(", ") || "no fields"}`;
    }
    if (typeof thrown === "function") return "a function";
    return `the value ${String(thrown)}`;
  } catch {
    return notShown;
  }
}

function causeOf(thrown: unknown): unknown {
  try {
    return thrown instanceof Error ? thrown.cause : undefined;
  } catch {
    return undefined;
  }
}
