/**
 * `node client.ts DESCRIPTOR_SET`: the client for the suite's servers. It reads ClientCompatRequests until the end of its input, performs several
 * at once, and writes a ClientCompatResponse when each has ended.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ClientCompatRequest } from "./messages.ts";
import { performCall } from "./perform-call.ts";
import { loadSchemas } from "./schemas.ts";
import { SharedChannels } from "./shared-channels.ts";
import { formatDelimited, readDelimited } from "./size-delimited.ts";

const schemas = loadSchemas(process.argv[2] as string);
const channels = new SharedChannels(schemas.registry);

const calls: Promise<void>[] = [];
for await (const bytes of readDelimited(process.stdin)) {
  calls.push(answer(fromBinary(schemas.clientCompatRequest, bytes)));
}
await Promise.all(calls);

async function answer(request: ClientCompatRequest): Promise<void> {
  const result = await channels
    .use(request, (channel) => performCall(schemas, channel, request))
    .then(
      (value) => ({ case: "response" as const, value }),
      (error) => ({ case: "error" as const, value: { message: String(error?.stack ?? error) } }),
    );
  const response = create(schemas.clientCompatResponse, { testName: request.testName, result });
  process.stdout.write(formatDelimited(toBinary(schemas.clientCompatResponse, response)));
}
