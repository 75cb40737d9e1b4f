import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";

/** A piece of JSON and its position in the source. */
export interface JsonText {
  readonly text: string;
  /** Name of the source in errors: `-d`, a file, `stdin`. */
  readonly source: string;
  /** Line and column at which the text begins in its source, from 1. */
  readonly line: number;
  readonly column: number;
}

export function jsonText(source: string, text: string): JsonText {
  return { text, source, line: 1, column: 1 };
}

/** Formats a position in the text: `-d:1:3`. */
export function placeOf({ text, source, line, column }: JsonText, at: number): string {
  const before = text.slice(0, at);
  const lines = before.split("\n").length - 1;
  const inLine = at - (before.lastIndexOf("\n") + 1);
  return `${source}:${line + lines}:${lines === 0 ? column + inLine : inLine + 1}`;
}

/** Creates a failure at a position, with exit code 4. */
export function jsonFailure(text: JsonText, at: number, message: string): CommandFailure {
  return new CommandFailure(exitCodes.invalidInput, `${placeOf(text, at)}: ${message}`);
}
