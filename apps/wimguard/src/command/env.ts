import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Env } from "../gen/wimguard/v1/env_pb.ts";
import { formatTable, formatTime } from "../terminal/format.ts";
import type { CommonOptions, Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { withDaemon } from "./with-daemon.ts";

export interface EnvExportOptions extends CommonOptions {
  readonly format: string;
}

/** `wimguard env capture`: records the environment of the daemon's machine. */
export async function captureEnv(options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const env = await wim.env.captureEnv({});
    output.result(`recorded ${env.uuid}`, toJson(env));
    return exitCodes.ok;
  });
}

/** `wimguard env list`: lists records, newest first. */
export async function listEnvs(options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { envs } = await wim.env.listEnvs({});
    const rows = envs.map((env) => [env.uuid, formatTime(dateOf(env)), env.host, env.os]);
    const text = envs.length === 0 ? "no environments yet" : formatTable([["UUID", "CREATED", "HOST", "OS"], ...rows]);
    output.result(text, {
      envs: envs.map(({ uuid, createTime, host, os }) => ({ uuid, created: dateOf({ createTime }), host, os })),
    });
    return exitCodes.ok;
  });
}

/** `wimguard env show`: prints one record. */
export async function showEnv(uuid: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const env = await wim.env.getEnv({ uuid });
    const { host, os, variables, tools, packages, mounts, users } = env;
    const sections: (readonly [string, readonly string[]])[] = [
      ["tools", Object.entries(tools).map(([name, version]) => `${name} ${version}`)],
      ["variables", Object.entries(variables).map(([name, value]) => `${name}=${value}`)],
      ["mounts", mounts],
      ["users", users],
      ["packages", packages],
    ];
    const lists = sections.map(([title, lines]) => `\n${title}:\n${lines.map((line) => `  ${line}`).join("\n")}`);
    output.result([`${env.uuid}  ${formatTime(dateOf(env))}`, `${host}, ${os}`, ...lists].join("\n"), toJson(env));
    return exitCodes.ok;
  });
}

/** `wimguard env diff`: compares two records, or one with the current environment. */
export async function diffEnvs(
  base: string,
  other: string | undefined,
  options: CommonOptions,
  output: Console,
): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { changes } = await wim.env.diffEnvs({ baseUuid: base, otherUuid: other ?? "" });
    for (const { part, key, before, after } of changes) {
      output.line(`${part} ${key}: ${before || "(none)"} -> ${after || "(none)"}`, { part, key, before, after });
    }
    if (changes.length === 0) output.note("no differences");
    return exitCodes.ok;
  });
}

/** `wimguard env export`: prints the variables. */
export async function exportEnv(uuid: string, options: EnvExportOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { text } = await wim.env.exportEnv({ uuid, format: options.format });
    output.result(text.trimEnd(), { text });
    return exitCodes.ok;
  });
}

/** `wimguard env delete`: deletes a record that no backup refers to. */
export async function deleteEnv(uuid: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    await wim.env.deleteEnv({ uuid });
    output.result(`deleted ${uuid}`, { deleted: uuid });
    return exitCodes.ok;
  });
}

function dateOf({ createTime }: Pick<Env, "createTime">): string {
  return createTime === undefined ? "" : timestampDate(createTime).toISOString();
}

function toJson(env: Env) {
  const { uuid, host, os, variables, tools, packages, mounts, users } = env;
  return { uuid, created: dateOf(env), host, os, variables, tools, packages, mounts, users };
}
