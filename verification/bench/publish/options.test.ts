import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsageError } from "../options.ts";
import { readPublishOptions } from "./options.ts";

const refuses = (args: string[], message: RegExp): void =>
  assert.throws(
    () => readPublishOptions(args),
    (error) => error instanceof UsageError && message.test(error.message),
  );

describe("the command line of publish", () => {
  it("measures everything without a limit unless it is asked for less", () => {
    assert.deepEqual(readPublishOptions([]), { isRenderOnly: false });
    assert.deepEqual(readPublishOptions(["--minutes", "24"]), { isRenderOnly: false, minutes: 24 });
    assert.deepEqual(readPublishOptions(["--render"]), { isRenderOnly: true });
  });

  it("refuses an unknown option by the nearest, a case, and minutes that are none", () => {
    refuses(["--minuts", "3"], /Unknown option --minuts of publish\. The nearest is --minutes\./);
    refuses(["--rounds", "3"], /All are --minutes, --render\./);
    refuses(["server/list"], /every case of its recipe, not "server\/list"/);
    refuses(["--minutes", "0"], /--minutes has to be a number from 1/);
    refuses(["--minutes"], /--minutes (has to be a number|needs a value)/);
  });
});
