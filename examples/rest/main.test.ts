import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

const folder = import.meta.dirname;
const root = join(folder, "..", "..");
const guide = readFileSync(join(root, "docs", "guides", "rest.md"), "utf8");

/** The curl lines of the guide, in order, and what each one prints. */
const steps = [...guide.matchAll(/```sh\n(curl [^\n]*)\n```\n\n```(?:json|text)\n([\s\S]*?)\n?```/g)];

const skip = spawnSync("curl", ["--version"]).status === 0 ? false : "curl is not installed";

describe("the guide to REST", { skip }, () => {
  const server = spawn(process.execPath, ["--conditions=source", join(folder, "main.ts")], {
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let port = "";
  before(async () => {
    const [line] = (await once(server.stdout, "data")) as [Buffer];
    port = /:(\d+)\/docs/.exec(line.toString())?.[1] ?? "";
  });
  after(async () => {
    const exited = once(server, "exit");
    server.kill();
    await exited;
  });

  it("has its lines", () => {
    assert.equal(steps.length, [...guide.matchAll(/^curl /gm)].length);
    assert.ok(steps.length > 15);
  });

  for (const [, command = "", expected = ""] of steps) {
    it(`prints what it shows: ${command}`, () => {
      const printed = execFileSync("bash", ["-c", command.replaceAll("127.0.0.1:8080", `127.0.0.1:${port}`)], {
        ...{ encoding: "utf8", timeout: 30_000 },
      });
      assert.equal(printed.replaceAll("\r", "").trimEnd(), expected.trimEnd());
    });
  }
});
