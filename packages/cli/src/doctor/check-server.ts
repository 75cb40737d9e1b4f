import { Code, ConnectError } from "@connectrpc/connect";
import { createHealthClient, createReflectionClient } from "@tercel/grpc/services";
import { callFailure } from "../call/call-failure.ts";
import type { CommandContext } from "../frame/context.ts";
import type { CommandFailure } from "../frame/failure.ts";
import { readHeaders } from "../target/call-headers.ts";
import { openChannel } from "../target/open-channel.ts";
import { targetOf } from "../target/target-of.ts";
import type { TargetOptions } from "../target/target-options.ts";
import type { Finding } from "./finding.ts";

const checkTimeoutMs = 5000;

/** Checks that a server is reachable and healthy and serves reflection. */
export async function checkServer(options: TargetOptions, context: CommandContext): Promise<Finding[]> {
  const target = targetOf(options, context);
  const channel = openChannel(options, context);
  const call = { headers: readHeaders(options.header, context), signal: context.signal, timeoutMs: checkTimeoutMs };
  try {
    const health = await look(
      "health",
      async () => {
        const status = await createHealthClient(channel).check("", call);
        return status === "SERVING"
          ? { check: "health", outcome: "ok", text: `${target} is SERVING` }
          : {
              check: "health",
              outcome: "failure",
              text: `${target} is ${status}`,
              fix: "tercel health shows which service is not healthy",
            };
      },
      "add createHealth from @tercel/grpc/services to the server",
    );
    const reflection = await look(
      "reflection",
      async () => {
        const services = await createReflectionClient(channel).listServices(call);
        return { check: "reflection", outcome: "ok", text: `${services.length} services` };
      },
      "add createReflection from @tercel/grpc/services to the server, or call with --proto",
    );
    return [health, reflection];
  } finally {
    await channel.close({ deadlineMs: 0 });
  }
}

async function look(check: string, ask: () => Promise<Finding>, fixIfMissing: string): Promise<Finding> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    if (error.code === Code.Unimplemented) return { check, outcome: "warning", text: "not served", fix: fixIfMissing };
    const { message, hint } = callFailure(error) as CommandFailure;
    return { check, outcome: "failure", text: message, ...(hint !== undefined && { fix: hint }) };
  }
}
