import { describe, it } from "node:test";
import { checkHistories } from "./histories.ts";

describe("retention", () => {
  it("decides as a naive search does, for any history", () => {
    checkHistories(300, Math.floor(Math.random() * 1_000_000));
  });
});
