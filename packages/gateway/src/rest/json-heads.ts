import type { PreparedHead } from "@tercel/grpc/protocols";
import { prepareHead } from "../calls/responder.ts";

/** Caches the heads of JSON responses, one for each status and coding. */
export class JsonHeads {
  readonly #varies: boolean;
  readonly #heads = new Map<string, PreparedHead>();

  /** @param varies the coding depends on `Accept-Encoding`, so that heads have `vary: accept-encoding` */
  constructor(varies: boolean) {
    this.#varies = varies;
  }

  of(status: number, coding: string | undefined): PreparedHead {
    const key = coding === undefined ? String(status) : `${status} ${coding}`;
    let head = this.#heads.get(key);
    if (head === undefined) {
      const fields = ["content-type", "application/json"];
      if (coding !== undefined) fields.push("content-encoding", coding);
      if (this.#varies) fields.push("vary", "accept-encoding");
      head = prepareHead(status, fields);
      this.#heads.set(key, head);
    }
    return head;
  }
}
