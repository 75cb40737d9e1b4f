import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileProtos, installCommand, suiteVersion } from "./compile-protos.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * connectrpc/conformance against Tercel's server: its own client and grpc-go's call it over gRPC, and its own over Connect and gRPC-Web on
 * HTTP/1.1 and 2. No case is excused.
 */
export async function runConnectServer(): Promise<boolean> {
  const overGrpc = await run("server", "config.yaml");
  return (await run("server", "config-web.yaml")) && overGrpc;
}

/** connectrpc/conformance against Tercel's client, which calls its reference server and grpc-go's. No case is excused. */
export function runConnectClient(): Promise<boolean> {
  return run("client", "config.yaml");
}

async function run(mode: "server" | "client", config: string): Promise<boolean> {
  const program = findInstalled();
  if (program === undefined) {
    console.error(`connectconformance ${suiteVersion} is not installed: ${installCommand}`);
    return false;
  }
  const descriptorSet = compileProtosOrSayWhy();
  if (descriptorSet === undefined) return false;
  const suite = spawn(
    program,
    [
      ...["--mode", mode, "--conf", join(here, config)],
      ...["--known-failing", `@${join(here, `known-failing-${mode}.txt`)}`],
      ...["--", process.execPath, "--conditions=source", join(here, `${mode}.ts`), descriptorSet],
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  const [code] = (await once(suite, "exit")) as [number | null];
  return code === 0;
}

function compileProtosOrSayWhy(): string | undefined {
  try {
    return compileProtos(root);
  } catch (error) {
    console.error(
      `the suite's protos, which Go keeps after \`${installCommand}\`, cannot be compiled: ${(error as Error).message}`,
    );
    return undefined;
  }
}

/** Returns the suite's program, if it is installed in the version of the protos. */
function findInstalled(): string | undefined {
  const folders = (process.env.PATH ?? "").split(":");
  folders.push(join(process.env.GOPATH ?? join(homedir(), "go"), "bin"));
  return folders
    .map((folder) => join(folder, "connectconformance"))
    .filter((file) => existsSync(file))
    .find((file) => execFileSync(file, ["--version"], { encoding: "utf8" }).trim().endsWith(` ${suiteVersion}`));
}
