// S4: one signal drains, two force.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startProgram } from "@tercel/test-support/programs";

const program = join(import.meta.dirname, "stop-signals-program.ts");

describe("a server that is told to stop", () => {
  it("by one signal lets its calls end, and ends well", async (t) => {
    const server = startProgram(t, program);
    assert.equal(await server.line(), "called");
    server.signal("SIGTERM");
    assert.equal(await server.line(), "stopping for SIGTERM");
    server.say("go on");
    assert.deepEqual(await server.rest(), ["answered", "stopped"]);
    assert.deepEqual(await server.ended, [0, null]);
  });

  it("by two signals ends at once, with the calls that still run", async (t) => {
    const server = startProgram(t, program);
    assert.equal(await server.line(), "called");
    server.signal("SIGTERM");
    assert.equal(await server.line(), "stopping for SIGTERM");
    server.signal("SIGTERM");
    assert.deepEqual(await server.ended, [1, null]);
  });
});
