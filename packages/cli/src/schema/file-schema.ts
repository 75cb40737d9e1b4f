import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import type { Schema } from "./schema.ts";

/**
 * Reads a serialized google.protobuf.FileDescriptorSet, as buf and protoc write it with their imports.
 *
 * @throws CommandFailure with exit code 4 when it is invalid
 */
export function createFileSchema(origin: string, bytes: Uint8Array): Schema {
  const registry = readDescriptorSet(origin, bytes);
  const symbols = new Set<string>();
  for (const file of registry.files) {
    for (const declared of nestedTypes(file)) {
      symbols.add(declared.typeName);
      if (declared.kind === "service")
        for (const { name } of declared.methods) symbols.add(`${declared.typeName}.${name}`);
      if (declared.kind === "message")
        for (const { name } of declared.fields) symbols.add(`${declared.typeName}.${name}`);
    }
  }
  return {
    origin,
    async listServices() {
      return [...registry].flatMap((one) => (one.kind === "service" ? [one.typeName] : [])).sort();
    },
    async findSymbol(symbol) {
      return symbols.has(symbol) ? registry : undefined;
    },
  };
}

function readDescriptorSet(origin: string, bytes: Uint8Array) {
  try {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  } catch (error) {
    throw new CommandFailure(
      exitCodes.invalidInput,
      `${origin} is not a complete FileDescriptorSet: ${(error as Error).message}`,
      { hint: "create one with buf build -o FILE, or protoc --include_imports -o FILE", cause: error },
    );
  }
}
