import type { Transport } from "@connectrpc/connect";
import type { CommandContext } from "../frame/context.ts";
import { readOptionFile } from "../frame/option-file.ts";
import { createFileSchema } from "./file-schema.ts";
import { createReflectionSchema } from "./reflection-schema.ts";
import type { Schema } from "./schema.ts";
import type { SchemaOptions } from "./schema-options.ts";

/** Opens the schema that the options name. @param server server whose reflection is used if the options name no file */
export async function openSchema(
  options: SchemaOptions,
  context: CommandContext,
  server: () => { readonly transport: Transport; readonly target: string; readonly headers: Headers },
): Promise<Schema> {
  if (options.descriptorSet !== undefined) {
    return createFileSchema(
      options.descriptorSet,
      readOptionFile("--descriptor-set", options.descriptorSet, context.cwd),
    );
  }
  if (options.proto.length > 0) {
    const { buildProtoFiles } = await import("../buf/build-proto-files.ts");
    const bytes = await buildProtoFiles(options.proto, options.importPath, context);
    return createFileSchema(options.proto.join(", "), bytes);
  }
  const { transport, target, headers } = server();
  return createReflectionSchema(transport, target, headers);
}
