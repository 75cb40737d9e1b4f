import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { enteredTwice, recordCallPath } from "./call-path.ts";

const maxHops = 12;

/** Returns the paths in docs/architecture.md: a heading in bold, followed by one file per line. */
function documentedWays(): Record<string, string[]> {
  const page = readFileSync(join(dirname(dirname(import.meta.dirname)), "docs", "architecture.md"), "utf8");
  const sections = page.matchAll(/^\*\*(The (?:client|server)'s (?:request|response))\*\*.*\n\n((?:\d+\. .*\n)+)/gm);
  return Object.fromEntries(
    [...sections].map(([, name = "", lines = ""]) => [
      name,
      [...lines.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file = ""]) => file),
    ]),
  );
}

describe("the path of a unary call", async () => {
  const path = await recordCallPath();
  for (const [name, way] of Object.entries(path)) {
    it(`${name}: has at most ${maxHops} hops and enters no file twice`, () => {
      assert.ok(way.length > 3 && way.length <= maxHops, `${way.length} hops: ${way.join(" → ")}`);
      assert.deepEqual(enteredTwice(way), []);
    });
  }

  it("is the one in docs/architecture.md, file by file", () => {
    const short = (way: readonly string[]) => way.map((file) => file.replace(/^packages\/\w+\/src\//, ""));
    assert.deepEqual(documentedWays(), {
      "The client's request": short(path.clientRequest),
      "The server's request": short(path.serverRequest),
      "The server's response": short(path.serverResponse),
      "The client's response": short(path.clientResponse),
    });
  });

  it("leads from the caller to the frames, and from the socket to the handler and to the caller", () => {
    const ends = Object.fromEntries(Object.entries(path).map(([name, way]) => [name, [way[0], way.at(-1)]]));
    const [socket, frames] = ["packages/http2/src/socket/attach.ts", "packages/http2/src/connection/frame-writer.ts"];
    assert.deepEqual(ends, {
      clientRequest: ["packages/grpc/src/channel/channel.ts", frames],
      serverRequest: [socket, "packages/grpc/src/transport/handler/typed-handler.ts"],
      serverResponse: ["packages/grpc/src/transport/handler/handled-call.ts", frames],
      clientResponse: ["packages/http2/src/socket/read-buffer.ts", "packages/grpc/src/channel/call/unary-call.ts"],
    });
  });
});
