import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const serverFile = fileURLToPath(new URL("./server.ts", import.meta.url));

/**
 * summerwind/h2spec: the cases of RFC 7540 and RFC 7541, against the engine's server, cleartext and TLS, with --strict.
 * No case is excused.
 */
export async function runH2spec(): Promise<boolean> {
  const h2spec = findH2spec();
  if (h2spec === undefined) {
    console.error("h2spec is not installed: go install github.com/summerwind/h2spec/cmd/h2spec@latest");
    return false;
  }
  const cleartext = await runAgainst(h2spec, [], []);
  const folder = mkdtempSync(join(tmpdir(), "tercel-h2spec-"));
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-days", "1", "-nodes", "-newkey", "rsa:2048"];
    execFileSync("openssl", ["req", "-x509", ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
    const tls = await runAgainst(h2spec, ["--tls", key, cert], ["--tls", "--insecure"]);
    return cleartext && tls;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runAgainst(h2spec: string, serverArguments: string[], arguments_: string[]): Promise<boolean> {
  const server = spawn(process.execPath, ["--conditions=source", serverFile, ...serverArguments], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const port = await firstLine(server);
    const test = spawn(h2spec, ["--host", "127.0.0.1", "--port", port, "--strict", "--timeout", "2", ...arguments_], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    const [code] = (await once(test, "exit")) as [number | null];
    return code === 0;
  } finally {
    server.kill("SIGTERM");
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("the server has no standard output");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("the server ended before it listened");
}

function findH2spec(): string | undefined {
  const folders = (process.env.PATH ?? "").split(":");
  folders.push(join(process.env.GOPATH ?? join(homedir(), "go"), "bin"));
  return folders.map((folder) => join(folder, "h2spec")).find((file) => existsSync(file));
}
