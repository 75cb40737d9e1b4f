import { Code, ConnectError } from "@connectrpc/connect";
import { printable } from "@tercel/grpc/internal";
import { createHealthClient, type HealthClient, type ReportedStatus } from "@tercel/grpc/services";
import { callFailure } from "../call/call-failure.ts";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes, statusExitCode } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { type OutputFormat, printListing } from "../frame/output-format.ts";
import { readHeaders } from "../target/call-headers.ts";
import { openChannel } from "../target/open-channel.ts";
import { targetOf } from "../target/target-of.ts";
import type { TargetOptions } from "../target/target-options.ts";

export interface HealthOptions extends TargetOptions {
  readonly watch?: boolean;
  readonly output: OutputFormat;
}

const checkTimeoutMs = 10_000;

/** `tercel health` */
export async function printHealth(
  service: string | undefined,
  options: HealthOptions,
  context: CommandContext,
): Promise<void> {
  const channel = openChannel(options, context);
  const call = { headers: readHeaders(options.header, context), signal: context.signal };
  try {
    const client = createHealthClient(channel);
    if (options.watch === true) {
      for await (const status of client.watch(service ?? "", call))
        await printStatuses([[service ?? "", status]], options, context);
      return;
    }
    const statuses = await readStatuses(client, service, { ...call, timeoutMs: checkTimeoutMs });
    await printStatuses(statuses, options, context);
    refuseUnhealthy(statuses, targetOf(options, context));
  } catch (error) {
    throw healthFailure(error, targetOf(options, context));
  } finally {
    await channel.close({ deadlineMs: 0 });
  }
}

/** Converts the error of a health call to a failure; explains servers without a health service. */
export function healthFailure(error: unknown, target: string): unknown {
  if (!(error instanceof ConnectError) || error.code !== Code.Unimplemented) return callFailure(error);
  return new CommandFailure(statusExitCode(Code.Unimplemented), `${target} does not serve grpc.health.v1.Health`, {
    hint: "add createHealth from @tercel/grpc/services to the server",
    cause: error,
  });
}

/** Returns the label of a service: the server as a whole has an empty name. */
export function serviceLabel(service: string): string {
  return service === "" ? "(server)" : printable(service);
}

async function readStatuses(
  client: HealthClient,
  service: string | undefined,
  call: Parameters<HealthClient["check"]>[1],
): Promise<[string, ReportedStatus][]> {
  if (service !== undefined) return [[service, await client.check(service, call)]];
  try {
    return [...(await client.list(call))].sort(([one], [other]) => (one < other ? -1 : 1));
  } catch (error) {
    // List is a recent method, and fails for more than 100 services.
    const isOnlyList =
      error instanceof ConnectError && (error.code === Code.Unimplemented || error.code === Code.ResourceExhausted);
    if (!isOnlyList) throw error;
    return [["", await client.check("", call)]];
  }
}

function printStatuses(
  statuses: readonly (readonly [string, ReportedStatus])[],
  options: HealthOptions,
  context: CommandContext,
): Promise<void> {
  const { stdout } = context;
  return printListing(context, options.output, {
    name: "statuses",
    rows: statuses,
    header: options.watch === true ? [] : ["SERVICE", "STATUS"],
    cells: ([service, status]) => [serviceLabel(service), stdout.style(status === "SERVING" ? "green" : "red", status)],
    json: ([service, status]) => ({ service, status }),
    nameOf: ([, status]) => status,
  });
}

function refuseUnhealthy(statuses: readonly (readonly [string, ReportedStatus])[], target: string): void {
  const unhealthy = statuses.filter(([, status]) => status !== "SERVING");
  const [first] = unhealthy;
  if (first === undefined) return;
  const [service, status] = first;
  if (status === "SERVICE_UNKNOWN") {
    throw new CommandFailure(exitCodes.notFound, `${target} does not report the health of ${serviceLabel(service)}`, {
      hint: "tercel health lists the services that have a status",
    });
  }
  const names = unhealthy.map(([name]) => serviceLabel(name)).join(", ");
  throw new CommandFailure(exitCodes.partial, `not healthy: ${names}`);
}
