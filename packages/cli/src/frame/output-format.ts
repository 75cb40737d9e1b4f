import type { JsonValue } from "@bufbuild/protobuf";
import { type Command, Option } from "commander";
import type { CommandContext } from "./context.ts";
import { formatTable } from "./table.ts";

/** The format in which a command prints its result. */
export type OutputFormat = "table" | "json" | "ndjson" | "name";

/** Adds `-o` with the formats that the command supports; the first is the default. */
export function addOutputOption(command: Command, formats: readonly OutputFormat[]): Command {
  const [first] = formats;
  return command.addOption(new Option("-o, --output <format>", "output format").choices(formats).default(first));
}

/** Whether errors must be JSON too. Reads the raw arguments, because they may be invalid. */
export function wantsJsonErrors(args: readonly string[]): boolean {
  return args.some((arg, at) => {
    const value =
      /^(?:-o=?|--output=)(.+)$/.exec(arg)?.[1] ?? (/^(?:-o|--output)$/.test(arg) ? args[at + 1] : undefined);
    return value === "json" || value === "ndjson";
  });
}

/** Rows of one type and how each format shows them. */
export interface Listing<Row> {
  /** The property of the JSON document that holds the rows: `services`. */
  readonly name: string;
  readonly rows: readonly Row[];
  readonly header: readonly string[];
  cells(row: Row): readonly string[];
  json(row: Row): JsonValue;
  /** Returns the name that another command takes as an argument. */
  nameOf(row: Row): string;
}

/** The number in `"version"` of the documents that `-o json` prints. It changes when a property changes its meaning or is removed. */
export const jsonVersion = 1;

export async function printListing<Row>(
  context: CommandContext,
  format: OutputFormat,
  listing: Listing<Row>,
): Promise<void> {
  const { stdout } = context;
  const { rows } = listing;
  switch (format) {
    case "json":
      return stdout.json({ version: jsonVersion, [listing.name]: rows.map((row) => listing.json(row)) });
    case "ndjson":
      for (const row of rows) await stdout.line(JSON.stringify(listing.json(row)));
      return;
    case "name":
      for (const row of rows) await stdout.line(listing.nameOf(row));
      return;
    case "table": {
      const header = listing.header.map((title) => stdout.style("bold", title));
      return stdout.write(
        formatTable(
          header,
          rows.map((row) => listing.cells(row)),
        ),
      );
    }
  }
}
