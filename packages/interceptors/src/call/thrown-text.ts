/** Longer ones are cut: a stack says what it has to say on its first lines, and a thrown text may hold a whole request. */
const maxChars = 8192;
const maxCauses = 5;

/** What was thrown, as text for a log: an Error's stack and those of its causes. Never throws, whatever it is given. */
export function thrownText(thrown: unknown): string {
  try {
    let text = oneText(thrown);
    let cause = causeOf(thrown);
    for (let at = 0; at < maxCauses && cause !== undefined && text.length < maxChars; at++) {
      text += `\ncaused by: ${oneText(cause)}`;
      cause = causeOf(cause);
    }
    return text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
  } catch {
    return "something that cannot be shown";
  }
}

function oneText(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.stack ?? `${thrown.name}: ${thrown.message}`;
  if (typeof thrown === "string") return `the text ${JSON.stringify(thrown.slice(0, maxChars))}`;
  if (typeof thrown === "object" && thrown !== null) {
    return `an object with ${Object.keys(thrown).slice(0, 20).join(", ") || "no fields"}`;
  }
  if (typeof thrown === "function") return "a function";
  return `the value ${String(thrown)}`;
}

function causeOf(thrown: unknown): unknown {
  return thrown instanceof Error ? thrown.cause : undefined;
}
