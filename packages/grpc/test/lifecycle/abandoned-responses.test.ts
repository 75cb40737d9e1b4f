// A caller that stops reading a stream of responses without a word must cost later calls nothing.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { overBothTransports } from "../support/open-echo.ts";

describe("a caller that breaks off reading responses that have all come", () => {
  overBothTransports((open) => {
    it("leaves the connection's window to the calls that follow", async (t) => {
      const limits = { windows: { connectionBytes: 65_535, streamBytes: 65_535 } };
      const { client } = await open(
        t,
        {
          async *serverStream() {
            for (let at = 0; at < 10; at++) yield { text: "x".repeat(1000) };
          },
          unary: () => ({ text: "x".repeat(30_000) }),
        },
        { channel: { limits, defaultTimeoutMs: 20_000 } },
      );
      // Twenty times 10 KB: three times what the window holds.
      for (let at = 0; at < 20; at++) {
        for await (const { text } of client.serverStream({})) {
          assert.equal(text.length, 1000);
          break;
        }
      }
      assert.equal((await client.unary({})).text.length, 30_000);
    });
  });
});
