import { type CallOptions, Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createReflectionClient } from "@tercel/grpc/services";
import { callFailure } from "../call/call-failure.ts";
import { statusExitCode } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import type { Schema } from "./schema.ts";

/** A server that takes longer to describe itself does not answer at all. */
const reflectionTimeoutMs = 10_000;

/** Anything else is the name of no service, but may be meant for the terminal or the shell that gets it. */
const protobufName = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;

/** Asks the server itself. Calls carry the headers of the call to come, since a server may guard its reflection as well. */
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
    `${target} has no reflection, so its services are not known`,
    {
      hint: "give the .proto file with --proto FILE (and -I FOLDER), or serve createReflection from @tercel/grpc/services",
      cause: error,
    },
  );
}
