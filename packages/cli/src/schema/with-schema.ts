import type { CommandContext } from "../frame/context.ts";
import { readHeaders } from "../target/call-headers.ts";
import { openChannel } from "../target/open-channel.ts";
import { targetOf } from "../target/target-of.ts";
import type { TargetOptions } from "../target/target-options.ts";
import { openSchema } from "./open-schema.ts";
import type { Schema } from "./schema.ts";
import { isSchemaLocal, type SchemaOptions } from "./schema-options.ts";

/** Runs work that needs a schema but no calls. Connects to the server only if the schema comes from its reflection. */
export async function withSchema<T>(
  options: TargetOptions & SchemaOptions,
  context: CommandContext,
  work: (schema: Schema) => Promise<T>,
): Promise<T> {
  const noServer = (): never => {
    throw new Error("schema from files must not connect to a server");
  };
  if (isSchemaLocal(options)) return work(await openSchema(options, context, noServer));
  const headers = readHeaders(options.header, context);
  const channel = openChannel(options, context);
  try {
    return await work(
      await openSchema(options, context, () => ({ transport: channel, target: targetOf(options, context), headers })),
    );
  } finally {
    await channel.close({ deadlineMs: 0 });
  }
}
