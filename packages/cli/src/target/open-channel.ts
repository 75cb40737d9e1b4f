import { type Channel, type ChannelOptions, createChannel } from "@tercel/grpc";
import type { CommandContext } from "../frame/context.ts";
import { usageFailure } from "../frame/failure.ts";
import { readOptionFile } from "../frame/option-file.ts";
import { ownVersion } from "../version.ts";
import { createConfiguredResolver, isDiscoveryTarget } from "./configured-resolver.ts";
import { targetOf } from "./target-of.ts";
import type { TargetOptions } from "./target-options.ts";

/** Message limit; larger than a server's, since a developer may request a whole export in one message. */
const maxMessageBytes = 256 * 1024 * 1024;

/** Opens a channel to the target of the options. @throws CommandFailure when an option is invalid */
export function openChannel(options: TargetOptions, context: Pick<CommandContext, "env" | "cwd">): Channel {
  const tls = readTls(options, context.cwd);
  const target = targetOf(options, context);
  if (options.instance !== undefined && !isDiscoveryTarget(target)) {
    throw usageFailure(`--instance needs a target such as discovery:///user-service, not ${target}`);
  }
  try {
    return createChannel(target, {
      ...(isDiscoveryTarget(target) && { resolvers: [createConfiguredResolver(context, options.instance)] }),
      ...(tls !== undefined && { tls }),
      ...(options.authority !== undefined && { authority: options.authority }),
      userAgentPrefix: `tercel-cli/${ownVersion()}`,
      maxReceiveMessageBytes: maxMessageBytes,
      maxDecodedMessageBytes: 4 * maxMessageBytes,
      log: silentLog,
    });
  } catch (error) {
    throw usageFailure((error as Error).message);
  }
}

/** Discards the channel's log: a failed call explains the error. */
const silentLog = { debug() {}, info() {}, warn() {}, error() {} };

function readTls(options: TargetOptions, cwd: string): Exclude<ChannelOptions["tls"], () => unknown> {
  const { tls, tlsCa, tlsCert, tlsKey, tlsSkipVerify } = options;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw usageFailure(
      `${tlsCert === undefined ? "--tls-key" : "--tls-cert"} needs ${tlsCert === undefined ? "--tls-cert" : "--tls-key"}`,
    );
  }
  const isTls = tls === true || tlsCa !== undefined || tlsCert !== undefined || tlsSkipVerify === true;
  if (!isTls) return undefined;
  return {
    ...(tlsCa !== undefined && { ca: readOptionFile("--tls-ca", tlsCa, cwd) }),
    ...(tlsCert !== undefined && { cert: readOptionFile("--tls-cert", tlsCert, cwd) }),
    ...(tlsKey !== undefined && { key: readOptionFile("--tls-key", tlsKey, cwd) }),
    ...(tlsSkipVerify === true && { rejectUnauthorized: false }),
  };
}
