import { type CallOptions, Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createReflectionClient } from "@tercel/grpc/services";
import { callFailure } from "../call/call-failure.ts";
import { statusExitCode } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import type { Schema } from "./schema.ts";

/** Deadline of reflection calls. */
const reflectionTimeoutMs = 10_000;

/** Matches valid names. Others are ignored: a server could send terminal or shell control characters. */
const protobufName = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;

/** Creates a schema from a server's reflection. Its calls send the headers of the actual call, since reflection may require them too. */
export function createReflectionSchema(transport: Transport, target: string, headers: Headers): Schema {
  const client = createReflectionClient(transport);
  const options = (signal: AbortSignal): CallOptions => ({ signal, headers, timeoutMs: reflectionTimeoutMs });
  return {
    origin: `reflection of ${target}`,
    listServices: async (signal) => {
      const names = await client.listServices(options(signal)).catch((error) => Promise.reject(explain(error, target)));
      return names.filter((name) => protobufName.test(name));
    },
    findSymbol: (symbol, signal) =>
      client.findSymbol(symbol, options(signal)).catch((error) => Promise.reject(explain(error, target))),
  };
}

function explain(error: unknown, target: string): unknown {
  if (!(error instanceof ConnectError)) return error;
  if (error.code !== Code.Unimplemented) return callFailure(error);
  return new CommandFailure(
    statusExitCode(Code.Unimplemented),
    `${target} does not serve reflection, so its schema is unknown`,
    {
      hint: "name the .proto file with --proto FILE (and -I FOLDER), or add createReflection from @tercel/grpc/services to the server",
      cause: error,
    },
  );
}
