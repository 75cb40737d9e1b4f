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
    .option("--proto <file>", "read it from a .proto file; needs @bufbuild/buf (repeatable)", collect, [])
    .option(
      "-I, --import-path <folder>",
      "folder to search for --proto files and their imports (repeatable)",
      collect,
      [],
    )
    .option("--descriptor-set <file>", "read it from a FileDescriptorSet file, as buf build -o and protoc -o write it");
}

/** Whether the schema comes from files, so that no server is needed to read it. */
export function isSchemaLocal(options: SchemaOptions): boolean {
  return options.descriptorSet !== undefined || options.proto.length > 0;
}
