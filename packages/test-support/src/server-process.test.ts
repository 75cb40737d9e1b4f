import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { createServerProcess, type ServerCommand } from "./server-process.ts";

/** A program with these lines, whose argument is its folder. */
function program(folder: string, lines: string, readyTexts: readonly string[]): ServerCommand {
  return { program: process.execPath, args: ["-e", lines, folder], readyTexts };
}

describe("a server's process", () => {
  it("has started when all texts were printed on any output, and keeps its folder over a restart", async (t) => {
    const lines = `
      const fs = require("node:fs");
      const file = process.argv[1] + "/starts";
      fs.appendFileSync(file, "x");
      console.log("half of it");
      console.error("start " + fs.readFileSync(file).length);
      setInterval(() => {}, 1000);`;
    let folder = "";
    let start = 0;
    const server = createServerProcess((own) => {
      folder = own;
      const command = program(own, lines, []);
      return {
        ...command,
        get readyTexts() {
          return ["half of it", `start ${++start}`];
        },
      };
    });
    t.after(() => server.dispose());
    await server.start();
    await server.kill();
    await server.start();
    assert.equal(start, 2);
    await server.dispose();
    assert.equal(existsSync(folder), false);
  });

  it("rejects with the output of a server that ends before it listens", async (t) => {
    const server = createServerProcess((folder) =>
      program(folder, 'console.error("no such option"); process.exitCode = 3;', ["listening"]),
    );
    t.after(() => server.dispose());
    await assert.rejects(server.start(), /ended with 3 and never printed listening:\nno such option/);
  });

  it("rejects with the system error if the program does not exist", async (t) => {
    const server = createServerProcess(() => ({ program: "/nowhere/at/all", args: [], readyTexts: ["x"] }));
    t.after(() => server.dispose());
    await assert.rejects(server.start(), /ENOENT/);
  });
});
