import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";

/** A piece of JSON, and where it was written. */
export interface JsonText {
  readonly text: string;
  /** As errors name it: `-d`, a file, `stdin`. */
  readonly source: string;
  /** Where the text begins in its source; both from 1. */
  readonly line: number;
  readonly column: number;
}

export function jsonText(source: string, text: string): JsonText {
  return { text, source, line: 1, column: 1 };
}

/** `-d:1:3`, of a position in the text. */
export function placeOf({ text, source, line, column }: JsonText, at: number): string {
  const before = text.slice(0, at);
  const lines = before.split("\n").length - 1;
  const inLine = at - (before.lastIndexOf("\n") + 1);
  return `${source}:${line + lines}:${lines === 0 ? column + inLine : inLine + 1}`;
}

/** What is written there is wrong: exit code 4. */
export function jsonFailure(text: JsonText, at: number, message: string): CommandFailure {
  return new CommandFailure(exitCodes.invalidInput, `${placeOf(text, at)}: ${message}`);
}
