// Long: it runs every line of the guide by curl, over HTTP/1.1, HTTP/2 and TLS.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createAuthority, withoutOpenssl } from "@tercel/test-support/certificates";

const folder = import.meta.dirname;
const root = join(folder, "..", "..");
const guide = readFileSync(join(root, "docs", "guides", "rest.md"), "utf8");

interface Step {
  readonly command: string;
  readonly expected: string;
}

/** The curl lines of the guide, in order, with their output. */
const steps = [...guide.matchAll(/```sh\n(curl [^\n]*)\n```\n\n```(?:json|text)\n([\s\S]*?)\n?```/g)].map(
  ([, command = "", expected = ""]): Step => ({ command, expected }),
);

/** The servers that the guide starts, with their ports. */
const servers = [
  { program: "main.ts", port: "8080" },
  { program: "notes.ts", port: "8081" },
];

const curl = spawnSync("curl", ["--version"], { encoding: "utf8" });
const skip = curl.status === 0 ? withoutOpenssl : "curl is not installed";

/** How a server is started and called. The responses must be the same. */
interface Way {
  readonly name: string;
  readonly flags: string;
  readonly tls: boolean;
}

const plain: Way = { name: "as the guide says", flags: "", tls: false };
const ways: readonly Way[] = [
  { name: "over HTTP/1.1", flags: "--http1.1", tls: false },
  { name: "over HTTP/2", flags: "--http2-prior-knowledge", tls: false },
  { name: "over HTTP/1.1 by TLS", flags: "--http1.1", tls: true },
  { name: "over HTTP/2 by TLS", flags: "--http2", tls: true },
];

/** Runs lines of the guide, in order, against a new server. */
function runSteps(program: string, way: Way, all: readonly Step[]): void {
  let files: ReturnType<typeof writeCertificate> | undefined;
  let server: ChildProcess;
  let url = "";
  before(async () => {
    files = way.tls ? writeCertificate() : undefined;
    server = spawn(process.execPath, ["--conditions=source", join(folder, program)], {
      env: { ...process.env, PORT: "0", ...files?.variables },
      // The server logs a warning for each refused request.
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = (await once(server.stdout ?? assert.fail("no output"), "data")) as [Buffer];
    url = /https?:\/\/127\.0\.0\.1:\d+/.exec(line.toString())?.[0] ?? "";
  });
  after(async () => {
    const exited = once(server, "exit");
    server.kill();
    await exited;
    if (files !== undefined) rmSync(files.folder, { recursive: true });
  });
  for (const { command, expected } of all) {
    it(`prints what it shows: ${command}`, () => {
      const flags = files === undefined ? way.flags : `${way.flags} --cacert ${files.authority}`;
      const here = command.replace(/^curl /, `curl ${flags} `).replaceAll(/http:\/\/127\.0\.0\.1:808[01]/g, url);
      const printed = runLine(here);
      assert.equal(printed.replaceAll("\r", "").trimEnd(), expected.trimEnd());
    });
  }
}

const maxAttempts = 20;
/** curl's exit code when an HTTP/2 stream was not closed cleanly. */
const streamError = "92";

/**
 * Returns the output of a line. Over HTTP/2, a server that refuses a request before it has the whole body resets the stream with NO_ERROR after its
 * response. curl 7.88 then drops the response if it has not read it yet, which RFC 9113 §8.1 forbids. Such a line is run again.
 */
function runLine(line: string): string {
  for (let attempt = 1; ; attempt++) {
    // curl's exit code, even if it is followed by a pipe.
    const { stdout, stderr, error } = spawnSync("bash", ["-c", `${line}; printf "\n\${PIPESTATUS[0]}" >&2`], {
      ...{ encoding: "utf8", timeout: 30_000 },
    });
    if (error !== undefined) throw error;
    if (stderr.split("\n").at(-1) !== streamError || attempt === maxAttempts) return stdout;
  }
}

/** Writes a certificate for this machine to files. */
function writeCertificate() {
  const made = mkdtempSync(join(tmpdir(), "tercel-rest-"));
  const authority = createAuthority();
  const { cert, key } = authority.issue({ names: ["IP:127.0.0.1"] });
  const write = (name: string, text: Buffer) => {
    writeFileSync(join(made, name), text);
    return join(made, name);
  };
  const paths = {
    folder: made,
    authority: write("authority.pem", authority.cert),
    variables: { TLS_CERT_FILE: write("cert.pem", cert), TLS_KEY_FILE: write("key.pem", key) },
  };
  authority.dispose();
  return paths;
}

describe("the guide to REST", { skip }, () => {
  it("has its lines", () => {
    assert.equal(steps.length, [...guide.matchAll(/^curl /gm)].length);
    for (const { port } of servers) {
      assert.ok(steps.filter(({ command }) => command.includes(`:${port}`)).length > 15, port);
    }
  });

  for (const { program, port } of servers) {
    const own = steps.filter(({ command }) => command.includes(`127.0.0.1:${port}`));
    if (program === "main.ts") describe(plain.name, () => runSteps(program, plain, own));
    else for (const way of ways) describe(way.name, () => runSteps(program, way, own));
  }
});
