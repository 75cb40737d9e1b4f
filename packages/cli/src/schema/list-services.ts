import type { CommandContext } from "../frame/context.ts";
import { type OutputFormat, printListing } from "../frame/output-format.ts";
import type { TargetOptions } from "../target/target-options.ts";
import { findService } from "./find-method.ts";
import { methodKindText } from "./method-kind.ts";
import type { SchemaOptions } from "./schema-options.ts";
import { withSchema } from "./with-schema.ts";

export interface ListOptions extends TargetOptions, SchemaOptions {
  readonly output: OutputFormat;
}

/** `tercel list` */
export function listServices(
  serviceText: string | undefined,
  options: ListOptions,
  context: CommandContext,
): Promise<void> {
  return withSchema(options, context, async (schema) => {
    if (serviceText === undefined) {
      return printListing(context, options.output, {
        name: "services",
        rows: await schema.listServices(context.signal),
        header: ["SERVICE"],
        cells: (name) => [name],
        json: (name) => ({ name }),
        nameOf: (name) => name,
      });
    }
    const { service } = await findService(schema, serviceText, context.signal);
    return printListing(context, options.output, {
      name: "methods",
      rows: service.methods,
      header: ["METHOD", "KIND", "REQUEST", "RESPONSE"],
      cells: ({ name, methodKind, input, output }) => [
        name,
        methodKindText(methodKind),
        input.typeName,
        output.typeName,
      ],
      json: ({ name, methodKind, input, output }) => ({
        service: service.typeName,
        name,
        kind: methodKindText(methodKind),
        request: input.typeName,
        response: output.typeName,
      }),
      nameOf: ({ name }) => `${service.typeName}/${name}`,
    });
  });
}
