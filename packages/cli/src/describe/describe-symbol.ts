import {
  type DescEnum,
  type DescMessage,
  type DescMethod,
  type DescService,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import {
  DescriptorProtoSchema,
  EnumDescriptorProtoSchema,
  MethodDescriptorProtoSchema,
  ServiceDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { jsonVersion, type OutputFormat } from "../frame/output-format.ts";
import { terminalText } from "../frame/terminal-text.ts";
import { escapeControls } from "../json/print-message.ts";
import { findMethod, findService } from "../schema/find-method.ts";
import type { Schema } from "../schema/schema.ts";
import type { SchemaOptions } from "../schema/schema-options.ts";
import { withSchema } from "../schema/with-schema.ts";
import type { TargetOptions } from "../target/target-options.ts";
import { declarationOf } from "./declaration.ts";
import { messageTemplate } from "./message-template.ts";

export interface DescribeOptions extends TargetOptions, SchemaOptions {
  readonly template?: boolean;
  readonly output: OutputFormat;
}

export type Described = DescService | DescMethod | DescMessage | DescEnum;

/** `tercel describe` */
export function describeSymbol(text: string, options: DescribeOptions, context: CommandContext): Promise<void> {
  return withSchema(options, context, async (schema) => {
    const found = await findDescribed(schema, text, context.signal);
    const { stdout } = context;
    if (options.template === true) {
      const message = found.kind === "rpc" ? found.input : found;
      if (message.kind !== "message")
        throw usageFailure(`invalid --template: ${text} is a ${message.kind}, not a message or a method`);
      return stdout.json(messageTemplate(message));
    }
    if (options.output === "json") {
      const name = found.kind === "rpc" ? `${found.parent.typeName}/${found.name}` : found.typeName;
      const kind = found.kind === "rpc" ? "method" : found.kind;
      const document = {
        version: jsonVersion,
        kind,
        name,
        file: found.kind === "rpc" ? found.parent.file.proto.name : found.file.proto.name,
        descriptor: descriptorOf(found),
      };
      return stdout.line(escapeControls(JSON.stringify(document, undefined, 2)));
    }
    return stdout.write(`${terminalText(declarationOf(found))}\n`);
  });
}

/**
 * Finds a declaration by its full name, by `SERVICE/METHOD`, or by the end of a service's name.
 *
 * @throws CommandFailure with exit code 5 when the name is unknown
 */
export async function findDescribed(schema: Schema, text: string, signal: AbortSignal): Promise<Described> {
  if (text.includes("/")) return (await findMethod(schema, text, signal)).method;
  const registry = await schema.findSymbol(text, signal);
  const declared = registry?.get(text);
  if (declared !== undefined && declared.kind !== "extension") return declared;
  if (registry !== undefined) {
    const parent = registry.get(text.slice(0, text.lastIndexOf(".")));
    const last = text.slice(text.lastIndexOf(".") + 1);
    const method = parent?.kind === "service" ? parent.methods.find(({ name }) => name === last) : undefined;
    if (method !== undefined) return method;
    // A field or an enum value is shown in its declaration.
    if (parent?.kind === "message" || parent?.kind === "enum") return parent;
  }
  // Only services can be listed, so only they can be suggested.
  if (!text.includes(".") || /Service$/.test(text)) return (await findService(schema, text, signal)).service;
  throw new CommandFailure(exitCodes.notFound, `no symbol ${JSON.stringify(text)} in ${schema.origin}`, {
    hint: "use the full name; tercel list shows the services, tercel describe SERVICE the messages they use",
  });
}

function descriptorOf(found: Described): JsonValue {
  switch (found.kind) {
    case "service":
      return toJson(ServiceDescriptorProtoSchema, found.proto);
    case "rpc":
      return toJson(MethodDescriptorProtoSchema, found.proto);
    case "message":
      return toJson(DescriptorProtoSchema, found.proto);
    case "enum":
      return toJson(EnumDescriptorProtoSchema, found.proto);
  }
}
