import { PreparedHeaders } from "@tercel/http2";

/** The channel's request heads for one server that has an authority of its own. */
export class AuthorityHeads {
  readonly #authority: string;
  readonly #byHead = new WeakMap<PreparedHeaders, PreparedHeaders>();

  constructor(authority: string) {
    this.#authority = authority;
  }

  /** Returns `head` with this server's `:authority`; made once for each head. */
  of(head: PreparedHeaders): PreparedHeaders {
    let own = this.#byHead.get(head);
    if (own === undefined) {
      const fields = [...head.fields];
      fields[fields.indexOf(":authority") + 1] = this.#authority;
      own = new PreparedHeaders(fields);
      this.#byHead.set(head, own);
    }
    return own;
  }
}
