import type { Command } from "commander";
import { collect } from "../target/target-options.ts";

export interface SchemaOptions {
  readonly proto: readonly string[];
  readonly importPath: readonly string[];
  readonly descriptorSet?: string;
}

export function addSchemaOptions(command: Command): Command {
  return command
    .optionsGroup("Schema (default: the server's reflection):")
    .option("--proto <file>", "take it from a .proto file; needs @bufbuild/buf (repeatable)", collect, [])
    .option("-I, --import-path <folder>", "where --proto and its imports are looked for (repeatable)", collect, [])
    .option("--descriptor-set <file>", "take it from a file that buf build -o or protoc -o wrote");
}

/** True when the schema comes from files, so that no server is needed to know it. */
export function isSchemaLocal(options: SchemaOptions): boolean {
  return options.descriptorSet !== undefined || options.proto.length > 0;
}
